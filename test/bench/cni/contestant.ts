import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, closeSync, constants, existsSync, openSync, writeSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'

/** Who takes part, with a state folder of its own. */
export interface Contestant {
  readonly name: string
  /** Does one command and returns how many ms it took. */
  run(command: string, place: Place): Promise<number>
  /** Largest resident size of one run; undefined where that cannot be told. */
  residentMb(command: string, place: Place): number | undefined
}

export interface Place {
  readonly netns: string
  readonly container: string
  readonly pod: 'bare' | 'full'
}

/** One executable with a configuration. */
interface Plugin {
  readonly name: string
  readonly program: string
  /** As it goes to stdin. */
  readonly conf: string
  /** Where that is put through. */
  readonly fifo: string
  readonly ifname: string
}

const plugins = '/usr/lib/cni'

/** The default network and the aux ones are made by the same real plugins for everybody. */
export function bridgeConf(folder: string, name: string, net: number) {
  const ipam = { type: 'host-local', subnet: `10.${net}.0.0/16`, dataDir: join(folder, 'ipam') }
  return { cniVersion: '0.4.0', name, type: 'bridge', bridge: `br-${name}`, ipam }
}

export async function contestant(folder: string, name: string, program: string, more: object): Promise<Contestant> {
  const own = join(folder, name)
  await mkdir(own, { recursive: true })
  const delegates = [{ ...bridgeConf(own, 'main', 41), masterPlugin: true }]
  const state = join(own, 'state')
  const conf = { cniVersion: '0.4.0', name: 'bench-net', type: 'kactus', cniDir: state, delegates, ...more }
  const plugin = pluginIn(own, { name, program, ifname: 'eth0' }, conf)
  return {
    name,
    run: (command, place) => measure(plugin, command, place),
    residentMb: (command, place) => residentMb(plugin, command, place),
  }
}

/** The delegates with nobody before them: what everybody else has to wait for. */
export async function bareDelegates(folder: string, names: readonly string[]): Promise<Contestant> {
  const delegates = await Promise.all(
    ['bare', ...names].map(async (name, index) => {
      const own = join(folder, 'alone', name)
      await mkdir(own, { recursive: true })
      const ifname = index === 0 ? 'eth0' : `net${index}`
      return pluginIn(own, { name, program: join(plugins, 'bridge'), ifname }, bridgeConf(own, `b-${name}`, 50 + index))
    }),
  )
  return {
    name: 'delegates alone',
    run: (command, place) => runAlone(delegates, command, place),
    residentMb: () => undefined,
  }
}

/** ADD: the default network, then the others side by side; DEL: all at once. */
async function runAlone([first, ...others]: readonly Plugin[], command: string, place: Place): Promise<number> {
  if (first === undefined) return Number.NaN
  if (place.pod === 'bare') return measure(first, command, place)
  const started = performance.now()
  if (command === 'ADD') await measure(first, command, place)
  const rest = command === 'ADD' ? others : [...others, first]
  await Promise.all(rest.map(plugin => measure(plugin, command, place)))
  return performance.now() - started
}

/** Everybody's file gets into the page cache as the agent's installer would put it there. */
export function installIn(folder: string, program: string, index: number): string {
  const copy = join(folder, `${index}-${basename(program)}`)
  execFileSync('dd', [`if=${program}`, `of=${copy}`, 'bs=32k', 'status=none'])
  chmodSync(copy, 0o755)
  return copy
}

function pluginIn(own: string, what: Pick<Plugin, 'name' | 'program' | 'ifname'>, conf: object): Plugin {
  const fifo = join(own, 'stdin')
  execFileSync('mkfifo', [fifo])
  return { ...what, conf: JSON.stringify(conf), fifo }
}

async function measure(who: Plugin, command: string, place: Place): Promise<number> {
  const stdin = pipeWith(who)
  const started = performance.now()
  const child = spawn(who.program, [], { env: environment(who, command, place), stdio: [stdin, 'pipe', 'pipe'] })
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', chunk => said.push(String(chunk)))
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  const ms = performance.now() - started
  closeSync(stdin)
  if (code !== 0) throw new Error(`${who.name} ${command}: exit code ${code}: ${said.join('').slice(0, 2000)}`)
  return ms
}

/**
 * Largest resident size of one run in MB, by GNU time; undefined where that is not installed. The file is taken out of
 * the page cache before, as after a reboot: the pieces it was written in count whole when one page of them is used.
 */
function residentMb(who: Plugin, command: string, place: Place): number | undefined {
  if (!existsSync('/usr/bin/time')) return undefined
  spawnSync('dd', [`if=${who.program}`, 'iflag=nocache', 'count=0'])
  const stdin = pipeWith(who)
  const { stderr } = spawnSync('/usr/bin/time', ['-f', 'KB=%M', who.program], {
    env: environment(who, command, place),
    stdio: [stdin, 'pipe', 'pipe'],
    encoding: 'utf8',
  })
  closeSync(stdin)
  const kb = /KB=(\d+)/.exec(stderr ?? '')?.[1]
  return kb === undefined ? undefined : Number(kb) / 1024
}

/** A pipe with the configuration in it, closed behind it, as a runtime gives it; Node's own pipes are sockets. */
function pipeWith({ fifo, conf }: Plugin): number {
  const stdin = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
  const inlet = openSync(fifo, constants.O_WRONLY)
  writeSync(inlet, conf)
  closeSync(inlet)
  return stdin
}

function environment({ ifname }: Plugin, command: string, place: Place): Record<string, string> {
  return {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    CNI_COMMAND: command,
    CNI_CONTAINERID: place.container,
    CNI_NETNS: place.netns,
    CNI_IFNAME: ifname,
    CNI_PATH: plugins,
    CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${place.pod};K8S_POD_INFRA_CONTAINER_ID=${place.container}`,
  }
}
