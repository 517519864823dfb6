import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

/** The command line asks for something that does not exist. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code = 'Usage'
}

/** A subcommand as the command line knows it. */
export interface CommandUsage {
  readonly name: string
  readonly synopsis: string
  readonly summary: string
  readonly options: ParseArgsOptionsConfig
  /** For nopal itself, not for people. */
  readonly hidden?: boolean
}

const output = { output: { type: 'string' } } as const

/** Every subcommand, in the order of the help. */
export const commandUsages = {
  agent: { name: 'agent', synopsis: '', summary: 'run as the agent of this node', options: {} },
  lead: {
    name: 'lead',
    synopsis: '',
    summary: 'do what is done once for the cluster; of several one works',
    options: {},
  },
  verify: {
    name: 'verify',
    synopsis: '[--dry-run] [--from host,sandbox|worker] [--output text|json]',
    summary: 'verify the network of this node once; without --dry-run the Node shows the verdict',
    options: { 'dry-run': { type: 'boolean' }, from: { type: 'string' }, ...output },
  },
  install: { name: 'install', synopsis: '', summary: 'put kactus and its configuration in place', options: {} },
  uninstall: {
    name: 'uninstall',
    synopsis: '[--force]',
    summary: 'give the node its own default network back',
    options: { force: { type: 'boolean' } },
  },
  'uninstall-all': {
    name: 'uninstall-all',
    synopsis: '[--within SECONDS]',
    summary: 'take nopal off all nodes: what the chart does before it goes',
    options: { within: { type: 'string' } },
    hidden: true,
  },
  status: {
    name: 'status',
    synopsis: '[--leader] [--output text|json]',
    summary: 'ask the agent of this node how it is, or the leader that runs here',
    options: { leader: { type: 'boolean' }, ...output },
  },
  wg: {
    name: 'wg',
    synopsis: '[--watch] [--output text|json]',
    summary: "this node's WireGuard peers, and whether each is where it should be",
    options: { watch: { type: 'boolean' }, ...output },
  },
  egress: {
    name: 'egress',
    synopsis: '[--dry-run] [--apply] [--output text|json]',
    summary: "the cluster's pod CIDRs as egress rules of Netmaker: what is to be done; with --apply it is done, once",
    options: { apply: { type: 'boolean' }, 'dry-run': { type: 'boolean' }, ...output },
  },
  pool: {
    name: 'pool',
    synopsis: '[--dry-run] [--apply] [--output text|json]',
    summary: 'the load-balancer pool of the servers: what is to be done; with --apply it is done, once',
    options: { apply: { type: 'boolean' }, 'dry-run': { type: 'boolean' }, ...output },
  },
  cri: {
    name: 'cri',
    synopsis: '--socket=PATH [--pod=UID]',
    summary: 'ask the container runtime for its sandboxes, or for the ready one of a pod',
    options: { socket: { type: 'string' }, pod: { type: 'string' } },
    hidden: true,
  },
  probe: {
    name: 'probe',
    synopsis: '--host-root=DIR',
    summary: 'check from inside a sandbox that nopal has made',
    options: { 'host-root': { type: 'string' } },
    hidden: true,
  },
} as const satisfies Record<string, CommandUsage>

export type CommandName = keyof typeof commandUsages

/** A command line that was understood. */
export type Invocation =
  | { readonly kind: 'version' }
  /** Of one command, or of all. */
  | { readonly kind: 'help'; readonly command?: CommandName }
  | { readonly kind: 'run'; readonly command: CommandName; readonly flags: Flags }

/** Options as given; unset ones are absent. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>

/**
 * Reads the command line.
 * @throws UsageError in words that name what is wrong
 */
export function parseCommandLine(args: readonly string[]): Invocation {
  const [first, ...rest] = args
  if (first === undefined) throw new UsageError('no command is given')
  if (first === '--help' || first === '-h' || first === 'help') return helpOf(rest[0])
  if (first === '--version' || first === 'version') return { kind: 'version' }
  if (!isCommand(first)) throw new UsageError(`there is no command ${JSON.stringify(first)}`)
  if (rest.includes('--help') || rest.includes('-h')) return helpOf(first)
  return { kind: 'run', command: first, flags: parseFlags(commandUsages[first], rest) }
}

function helpOf(name = ''): Invocation {
  return isCommand(name) ? { kind: 'help', command: name } : { kind: 'help' }
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(commandUsages, name)
}

function parseFlags(usage: CommandUsage, args: readonly string[]): Flags {
  try {
    const { values } = parseArgs({ args: [...args], options: usage.options, strict: true })
    // None of the options may be given more than once, so there are no arrays.
    return values as Flags
  } catch (error) {
    const detail = error instanceof Error ? error.message.split('. ')[0] : String(error)
    throw new UsageError(`${usage.name}: ${detail}`)
  }
}

/** The value of `--output`. */
export function readOutput(flags: Flags): 'text' | 'json' {
  const { output: wanted = 'text' } = flags
  if (wanted !== 'text' && wanted !== 'json')
    throw new UsageError(`--output is text or json, not ${JSON.stringify(wanted)}`)
  return wanted
}

/** What `nopal --help` prints, or `--help` after a command. */
export function renderHelp(command?: CommandName): string {
  const all: readonly CommandUsage[] = Object.values(commandUsages)
  const shown = command === undefined ? all.filter(each => each.hidden !== true) : [commandUsages[command]]
  const lines = shown.map(({ name, synopsis, summary }) => `  ${`nopal ${name} ${synopsis}`.trim()}\n      ${summary}`)
  const about = ['One agent per Kubernetes node, and kactus, its CNI plugin.', '']
  return [
    ...(command === undefined ? [...about, ...lines, '  nopal --version', '  nopal [COMMAND] --help'] : lines),
    '',
    'Exit codes: 0 well, 1 not well, 2 wrong settings or usage, 3 could not find out.',
    'Settings: /etc/nopal/nopal.ini, or the file NOPAL_CONFIG names; NOPAL_<SECTION>_<KEY> in the environment.',
    '',
  ].join('\n')
}
