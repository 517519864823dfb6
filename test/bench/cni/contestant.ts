import { spawn, spawnSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

/** One executable that takes part, with a state folder of its own. */
export interface Contestant {
  readonly name: string
  readonly program: string
  readonly conf: Readonly<Record<string, unknown>>
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
  return {
    name,
    program,
    conf: { cniVersion: '0.4.0', name: 'bench-net', type: 'kactus', cniDir: join(own, 'state'), delegates, ...more },
  }
}

/** Runs one command and returns how long it took. */
export function measure(who: Contestant, command: string, place: Place): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const child = spawn(who.program, [], { env: environment(command, place), stdio: ['pipe', 'pipe', 'pipe'] })
    let said = ''
    child.stdout.on('data', chunk => {
      said += String(chunk)
    })
    child.stderr.on('data', chunk => {
      said += String(chunk)
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(JSON.stringify(who.conf))
    child.on('error', reject)
    child.on('close', code => {
      const ms = performance.now() - started
      if (code === 0) resolve(ms)
      else reject(new Error(`${who.name} ${command}: exit code ${code}: ${said.slice(0, 2000)}`))
    })
  })
}

/**
 * Largest resident size of one run in MB, by GNU time; undefined where that is not installed. The file is taken out of
 * the page cache before: one written a moment ago lies there in larger pieces, which count whole when one page is used.
 */
export function residentMb(who: Contestant, command: string, place: Place): number | undefined {
  spawnSync('dd', [`if=${who.program}`, 'iflag=nocache', 'count=0'])
  const options = { env: environment(command, place), input: JSON.stringify(who.conf), encoding: 'utf8' } as const
  const { stderr } = spawnSync('/usr/bin/time', ['-f', 'KB=%M', who.program], options)
  const kb = /KB=(\d+)/.exec(stderr ?? '')?.[1]
  return kb === undefined ? undefined : Number(kb) / 1024
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
