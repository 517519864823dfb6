import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, copyFile, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { KactusCode } from '../../cni/networks/codes.ts'
import { FakeAgent } from '../fakes/agent-socket.ts'
import { bareEnv, begin, type Output, runCommand } from '../machine/command.ts'
import { debianPlugins } from '../machine/node-files.ts'
import { until } from '../machine/wait.ts'
import { listedFolder } from './listed-folder.ts'

const root = join(import.meta.dirname, '../..')
const fakePlugin = join(root, 'test/fakes/cni-plugin.sh')

/** The executables under test; KACTUS names another one, for work on it. */
export const programs: readonly string[] = process.env.KACTUS
  ? [process.env.KACTUS]
  : [join(root, 'dist/kactus'), join(root, 'dist/kactus-pkg')]

/** How one run of kactus ended. */
export interface Answer extends Output {
  readonly ms: number
}

/** One call of a fake plugin. */
export interface PluginCall {
  readonly phase: 'B' | 'H' | 'E'
  readonly pid: number
  readonly command: string
  readonly plugin: string
  readonly container: string
  readonly ifname: string
  readonly netns: string
  readonly args: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The configuration; a string goes to stdin as it is. */
  readonly conf?: unknown
  readonly container?: string
  readonly ifname?: string
  readonly netns?: string
  readonly args?: string
}

/** One run of kactus. */
export interface RunningCommand {
  readonly child: ChildProcess
  readonly ended: Promise<Answer>
}

type Conf = Readonly<Record<string, unknown>>

/** A folder with fake plugins and a state folder of its own, to run kactus in. */
export class KactusBed {
  readonly program: string
  readonly folder: string
  readonly container = `c-${randomBytes(8).toString('hex')}`
  readonly agent: FakeAgent
  /** Put before the program: to run it in another namespace. */
  prefix: readonly string[] = []

  private constructor(program: string, folder: string, agent: FakeAgent) {
    this.program = program
    this.folder = folder
    this.agent = agent
  }

  /** Makes a bed that goes with its test. */
  static async make(t: Test, program: string): Promise<KactusBed> {
    if (!existsSync(program)) throw new Error(`${program} is missing: ./build.sh makes it`)
    const folder = await listedFolder(t)
    const agent = await FakeAgent.start(join(folder, 'run/agent.sock'))
    const bed = new KactusBed(program, folder, agent)
    t.teardown(() => agent.stop())
    await mkdir(join(bed.bin, 'held'), { recursive: true })
    await mkdir(bed.cniDir, { mode: 0o700 })
    for (const name of ['fake-a', 'fake-b', 'fake-c']) await bed.installFake(name)
    return bed
  }

  get bin(): string {
    return join(this.folder, 'bin')
  }

  get cniDir(): string {
    return join(this.folder, 'state')
  }

  async installFake(name: string): Promise<void> {
    await copyFile(fakePlugin, join(this.bin, name))
    await chmod(join(this.bin, name), 0o755)
  }

  async installReal(...names: readonly string[]): Promise<void> {
    for (const name of names) await symlink(join(debianPlugins, name), join(this.bin, name))
  }

  /** A configuration whose default network is plugin `fake-a`. */
  conf(more: Conf = {}): Conf {
    return {
      cniVersion: '1.0.0',
      name: 'kactus-net',
      type: 'kactus',
      cniDir: this.cniDir,
      agentSocket: this.agent.path,
      delegates: [{ type: 'fake-a', name: 'main' }],
      ...more,
    }
  }

  /** Tells the agent of a network that plugin `fake-b` makes, unless the configuration says otherwise. */
  putNetwork(
    name: string,
    config: unknown = { type: 'fake-b' },
    more: { namespace?: string; resource?: string } = {},
  ): void {
    const { namespace = 'default', resource } = more
    const annotations = resource === undefined ? {} : { 'k8s.v1.cni.cncf.io/resourceName': resource }
    const text = typeof config === 'string' ? config : JSON.stringify(config)
    const object = { metadata: { name, namespace, annotations }, spec: { config: text } }
    this.agent.putNetwork('Network', namespace, name, object)
  }

  /** Tells the agent of pod `default/p1`. */
  putPod(networks: unknown, more: Readonly<Record<string, string>> = {}): void {
    const own =
      networks === undefined ? {} : { networks: typeof networks === 'string' ? networks : JSON.stringify(networks) }
    this.agent.putPod('default', 'p1', { uid: 'u1', annotations: { ...own, ...more } })
  }

  /** CNI_ARGS as kubelet's runtimes set them for pod `default/p1`. */
  args(more = ''): string {
    const pod = `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=p1;K8S_POD_INFRA_CONTAINER_ID=${this.container};K8S_POD_UID=u1`
    return more === '' ? pod : `${pod};${more}`
  }

  /** Runs one command to its end. */
  async run(command: string | undefined, options: RunOptions = {}): Promise<Answer> {
    return this.start(command, options).ended
  }

  /**
   * Runs one command as often as the agent, which lives in this process, is too busy to answer it in time: a bed has no
   * API to fall back on. A runtime comes back too.
   */
  async runPatiently(command: string, options: RunOptions = {}): Promise<Answer> {
    for (;;) {
      const answer = await this.run(command, options)
      if (!isUnanswered(answer)) return answer
    }
  }

  /** Starts ADD of pod `default/p1`, as patiently, and waits until a fact shows how far it is. */
  async startAdd(what: string, isSo: () => unknown, options: RunOptions = {}): Promise<RunningCommand> {
    for (;;) {
      const run = this.start('ADD', { args: this.args(), ...options })
      let early: Answer | undefined
      void run.ended.then(answer => {
        early = answer
      })
      await until(what, () => Boolean(isSo()) || (early !== undefined && isUnanswered(early)))
      if (early === undefined || !isUnanswered(early)) return run
    }
  }

  /** The same until a fake plugin is held. */
  async startHeldAdd(plugin: string, options?: RunOptions): Promise<RunningCommand & { readonly call: PluginCall }> {
    const held = { phase: 'H', command: 'ADD', plugin } as const
    const run = await this.startAdd(`${plugin} to be held`, () => this.#find(held), options)
    return { ...run, call: await this.waitForCall(held) }
  }

  /** Starts one command. */
  start(command: string | undefined, options: RunOptions = {}): RunningCommand {
    const { conf } = options
    const started = performance.now()
    const { child, ended } = begin([...this.prefix, this.program], {
      env: this.#environment(command, options),
      cwd: this.folder,
      input: typeof conf === 'string' ? conf : JSON.stringify(conf ?? this.conf()),
      timeoutMs: 0,
    })
    return { child, ended: ended.then(output => ({ ...output, ms: performance.now() - started })) }
  }

  /** ADD of pod `default/p1`. */
  add(options: RunOptions = {}): Promise<Answer> {
    return this.runPatiently('ADD', { args: this.args(), ...options })
  }

  del(options: RunOptions = {}): Promise<Answer> {
    return this.run('DEL', { args: this.args(), ...options })
  }

  /** What the fake plugins noted, in order. */
  calls(): readonly PluginCall[] {
    const file = join(this.bin, 'calls')
    if (!existsSync(file)) return []
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    return lines.map(line => {
      const [phase, pid, command = '', plugin = '', container = '', ifname = '', netns = '', args = ''] =
        line.split('\t')
      return { phase: phase as PluginCall['phase'], pid: Number(pid), command, plugin, container, ifname, netns, args }
    })
  }

  /** The calls that ended, short: `ADD fake-a eth0`. */
  trace(): readonly string[] {
    return this.calls()
      .filter(({ phase }) => phase === 'B')
      .map(({ command, plugin, ifname }) => `${command} ${plugin} ${ifname}`.trim())
  }

  forgetCalls(): Promise<void> {
    return rm(join(this.bin, 'calls'), { force: true })
  }

  /** What a plugin was given on stdin. */
  stdinOf(call: PluginCall | undefined): Record<string, unknown> {
    return JSON.parse(this.stdinTextOf(call)) as Record<string, unknown>
  }

  stdinTextOf(call: PluginCall | undefined): string {
    if (call === undefined) throw new Error('there was no such call')
    return readFileSync(join(this.bin, `stdin.${call.pid}`), 'utf8')
  }

  environmentOf(call: PluginCall | undefined): string {
    return readFileSync(join(this.bin, `env.${call?.pid}`), 'utf8')
  }

  /** Finds the first call of a command for an interface. */
  call(command: string, ifname?: string): PluginCall | undefined {
    return this.calls().find(call => call.command === command && (ifname === undefined || call.ifname === ifname))
  }

  /** Tells a fake plugin what to do: `order('fake-a', 'ADD', 'code', '1')`. */
  async order(
    plugin: string,
    command: string,
    what: 'out' | 'code' | 'err' | 'kill',
    text: string | object,
  ): Promise<void> {
    await writeFile(
      join(this.bin, `${plugin}.${command}.${what}`),
      typeof text === 'string' ? text : JSON.stringify(text),
    )
  }

  /** Makes a fake plugin wait in the middle of its work until it is released. */
  async hold(plugin: string, command: string): Promise<void> {
    await runCommand(['mkfifo', join(this.bin, `${plugin}.${command}.hold`)])
  }

  /** Lets a held plugin go on, and holds none after it. */
  async release(plugin: string, command: string): Promise<void> {
    const pipe = join(this.bin, `${plugin}.${command}.hold`)
    await writeFile(pipe, '')
    await rm(pipe)
  }

  async cancel(plugin: string, command: string, what: 'out' | 'code' | 'err' | 'hold' | 'kill'): Promise<void> {
    await rm(join(this.bin, `${plugin}.${command}.${what}`), { force: true })
  }

  /** Makes a fake plugin fail with an error document. */
  async fail(plugin: string, command: string, code = 77, msg = 'as ordered'): Promise<void> {
    await this.order(plugin, command, 'out', { cniVersion: '1.0.0', code, msg })
    await this.order(plugin, command, 'code', '1')
  }

  async heal(plugin: string, command: string): Promise<void> {
    await this.cancel(plugin, command, 'out')
    await this.cancel(plugin, command, 'code')
  }

  /** Makes the record look as if its networks had been refused so much earlier. */
  async ageRefusals(byMs: number): Promise<void> {
    const file = join(this.cniDir, 'records', `${this.container}.json`)
    const older = (_match: string, time: string) => `"timeMs":${Number(time) - byMs}`
    await writeFile(file, readFileSync(file, 'utf8').replace(/"timeMs":(\d+)/g, older))
  }

  /** What ADDs have made and no DEL has taken away. */
  held(): readonly string[] {
    return readdirSync(join(this.bin, 'held')).sort()
  }

  /** Every file of the state folder. */
  state(): readonly string[] {
    return readdirSync(this.cniDir, { recursive: true, withFileTypes: true })
      .filter(entry => !entry.isDirectory())
      .map(entry => join(entry.parentPath, entry.name).slice(this.cniDir.length + 1))
      .sort()
  }

  async waitForCall(wanted: Partial<PluginCall>): Promise<PluginCall> {
    return until(`a call like ${JSON.stringify(wanted)}`, () => this.#find(wanted))
  }

  #find(wanted: Partial<PluginCall>): PluginCall | undefined {
    const keys = Object.keys(wanted) as (keyof PluginCall)[]
    return this.calls().find(call => keys.every(key => call[key] === wanted[key]))
  }

  #environment(command: string | undefined, options: RunOptions): Record<string, string> {
    const full = {
      PATH: bareEnv.PATH,
      CNI_COMMAND: command,
      CNI_CONTAINERID: options.container ?? this.container,
      CNI_NETNS: options.netns ?? '/var/run/netns/none-such',
      CNI_IFNAME: options.ifname ?? 'eth0',
      CNI_PATH: this.bin,
      CNI_ARGS: options.args,
      ...options.env,
    }
    return Object.fromEntries(Object.entries(full).filter((entry): entry is [string, string] => entry[1] !== undefined))
  }
}

/** Whether the agent did not answer kactus in time. */
function isUnanswered(answer: Answer): boolean {
  return answer.stdout !== '' && documentOf(answer).code === KactusCode.LookupImpossible
}

/** The one JSON document of an answer. */
export function documentOf(answer: Answer): Record<string, unknown> {
  if (answer.stdout.trim() === '') throw new Error(`no answer, exit code ${answer.code}: ${answer.stderr}`)
  return JSON.parse(answer.stdout) as Record<string, unknown>
}
