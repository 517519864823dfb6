import { ignoresUnknown, parseCniArgs } from '../spec/args.ts'
import { CniCode, CniError } from '../spec/errors.ts'
import { containerIdFault, interfaceNameFault } from '../spec/names.ts'
import type { CniCommand } from '../spec/plugin.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** What the variables of the protocol say. A variable that the command has no use for is empty. */
export interface Request {
  readonly command: CniCommand
  readonly containerId: string
  readonly netns: string
  readonly ifname: string
  readonly args: ReadonlyMap<string, string>
  readonly path: string
}

interface Variable {
  readonly name: string
  readonly neededBy: readonly CniCommand[]
  readonly fault?: (value: string) => string | undefined
}

/** The environment contract. Missing ones are named all together. */
const VARIABLES: readonly Variable[] = [
  { name: 'CNI_CONTAINERID', neededBy: ['ADD', 'DEL', 'CHECK'], fault: fileNameFault },
  { name: 'CNI_NETNS', neededBy: ['ADD', 'CHECK'] },
  { name: 'CNI_IFNAME', neededBy: ['ADD', 'DEL', 'CHECK'], fault: interfaceNameFault },
  { name: 'CNI_PATH', neededBy: ['ADD', 'DEL', 'CHECK', 'STATUS', 'GC'] },
]

const COMMANDS: readonly string[] = ['ADD', 'DEL', 'CHECK', 'STATUS', 'GC', 'VERSION'] satisfies CniCommand[]

/** Keys of CNI_ARGS that mean something to us or to the plugins around us. */
const KNOWN_ARGS = [
  'IgnoreUnknown',
  'K8S_POD_NAMESPACE',
  'K8S_POD_NAME',
  'K8S_POD_UID',
  'K8S_POD_INFRA_CONTAINER_ID',
  'K8S_POD_NETWORK',
  'K8S_POD_IFMAC',
  'NOPAL_ADOPT',
  'MAC',
  'CNI_IFMAC',
  'IP',
  'GATEWAY',
]

/**
 * Reads and checks the variables a command needs.
 * @throws CniError 4
 */
export function readRequest(env: Environment): Request {
  const command = env.CNI_COMMAND ?? ''
  if (!isCommand(command)) throw bad(`CNI_COMMAND is none that is known: ${JSON.stringify(command.slice(0, 80))}`)
  const needed = VARIABLES.filter(variable => variable.neededBy.includes(command))
  const missing = needed.filter(({ name }) => !env[name]).map(({ name }) => name)
  if (missing.length > 0) throw bad(`${command} needs variables that are missing: ${missing.join(', ')}`)
  const faults = needed.flatMap(({ name, fault }) => fault?.(env[name] ?? '')?.replace(/^/, `${name} `) ?? [])
  if (faults.length > 0) throw bad(faults.join('; '))
  const hasArgs = command === 'ADD' || command === 'DEL' || command === 'CHECK'
  return {
    command,
    containerId: env.CNI_CONTAINERID ?? '',
    netns: env.CNI_NETNS ?? '',
    ifname: env.CNI_IFNAME ?? '',
    args: hasArgs ? readArgs(env.CNI_ARGS ?? '') : new Map(),
    path: env.CNI_PATH ?? '',
  }
}

function readArgs(text: string): ReadonlyMap<string, string> {
  const args = parseCniArgs(text)
  const unknown = [...args.keys()].filter(key => !KNOWN_ARGS.includes(key))
  if (unknown.length > 0 && !ignoresUnknown(args)) {
    throw bad(`CNI_ARGS has keys that are not known, and no IgnoreUnknown: ${JSON.stringify(unknown).slice(0, 200)}`)
  }
  return args
}

/** Container ids become names of files with an ending. */
const MAX_ID = 200

function fileNameFault(id: string): string | undefined {
  return containerIdFault(id) ?? (id.length > MAX_ID ? `is longer than ${MAX_ID} characters` : undefined)
}

function isCommand(value: string): value is CniCommand {
  return COMMANDS.includes(value)
}

function bad(message: string): CniError {
  return new CniError(CniCode.InvalidEnvironment, message)
}
