import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

/** One executable that takes part, with a state folder of its own. */
export interface Contestant {
  readonly name: string
  readonly program: string
  /** Its configuration, as it goes to stdin. */
  readonly conf: string
  /** Where that is put through. */
  readonly fifo: string
}

export interface Place {
  readonly netns: string
  readonly container: string
  readonly pod: string
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
  return entrant(own, name, program, conf)
}

/** The default network's plugin with nobody in between: what all the others have to wait for. */
export async function bareDelegate(folder: string): Promise<Contestant> {
  const own = join(folder, 'bare')
  await mkdir(own, { recursive: true })
  return entrant(own, 'bridge alone', join(plugins, 'bridge'), bridgeConf(own, 'bare', 40))
}

function entrant(own: string, name: string, program: string, conf: object): Contestant {
  const fifo = join(own, 'stdin')
  execFileSync('mkfifo', [fifo])
  return { name, program, conf: JSON.stringify(conf), fifo }
}

/** Runs one command and returns how long it took. */
export async function measure(who: Contestant, command: string, place: Place): Promise<number> {
  const stdin = pipeWith(who)
  const started = performance.now()
  const child = spawn(who.program, [], { env: environment(command, place), stdio: [stdin, 'pipe', 'pipe'] })
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
 * the page cache before: one written a moment ago lies there in larger pieces, which count whole when one page is used.
 */
export function residentMb(who: Contestant, command: string, place: Place): number | undefined {
  spawnSync('dd', [`if=${who.program}`, 'iflag=nocache', 'count=0'])
  const stdin = pipeWith(who)
  const { stderr } = spawnSync('/usr/bin/time', ['-f', 'KB=%M', who.program], {
    env: environment(command, place),
    stdio: [stdin, 'pipe', 'pipe'],
    encoding: 'utf8',
  })
  closeSync(stdin)
  const kb = /KB=(\d+)/.exec(stderr ?? '')?.[1]
  return kb === undefined ? undefined : Number(kb) / 1024
}

/** A pipe with the configuration in it, closed behind it, as a runtime gives it; Node's own pipes are sockets. */
function pipeWith({ fifo, conf }: Contestant): number {
  const stdin = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
  const inlet = openSync(fifo, constants.O_WRONLY)
  writeSync(inlet, conf)
  closeSync(inlet)
  return stdin
}

function environment(command: string, place: Place): Record<string, string> {
  return {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    CNI_COMMAND: command,
    CNI_CONTAINERID: place.container,
    CNI_NETNS: place.netns,
    CNI_IFNAME: 'eth0',
    CNI_PATH: plugins,
    CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${place.pod};K8S_POD_INFRA_CONTAINER_ID=${place.container}`,
  }
}
