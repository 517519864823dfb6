import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { runCommand } from '../machine/command.ts'
import { until } from '../machine/wait.ts'
import { createRandom } from '../unit/agent/verify/seeded-random.ts'
import { type Answer, KactusBed, programs } from './kactus-bed.ts'
import { HeldNetns } from './kactus-netns.ts'

/*
 * Pods with four networks on real bridge and host-local start and end while kactus, its delegates and their address
 * servers are killed at random, lookups fail in spells and GC runs in between; then everything is counted.
 * SOAK_SECONDS (120) and SOAK_SEED say how long and in which order.
 */
const seconds = Number(process.env.SOAK_SECONDS ?? '120')
const seed = Number(process.env.SOAK_SEED ?? '20261128')
const workers = 4
const networks = ['main', 'green', 'blue', 'red']

interface Pod {
  readonly container: string
  readonly netns: HeldNetns
}

class Soak {
  readonly bed: KactusBed
  readonly #t: Test
  readonly #random: () => number
  /** Containers that the runtime has not forgotten: they start, run or end. */
  readonly #known = new Set<string>()
  readonly living: Pod[] = []
  readonly count = { started: 0, failed: 0, ended: 0, forgotten: 0, kills: 0, gcs: 0 }
  isOver = false

  constructor(t: Test, bed: KactusBed, random: () => number) {
    this.#t = t
    this.bed = bed
    this.#random = random
  }

  get conf() {
    const delegates = [{ ...bridge(this.bed, 'main', 0), name: 'main', masterPlugin: true }]
    return this.bed.conf({ cniVersion: '1.1.0', delegates })
  }

  /** One after the other, pods start, live a little and end, in one way or another. */
  async work(): Promise<void> {
    while (!this.isOver) {
      const pod = await this.start()
      if (pod === undefined) continue
      const chance = this.#random()
      if (chance < 0.1) this.living.push(pod)
      else if (chance < 0.2) this.#forget(pod)
      else await this.end(pod)
    }
  }

  /** As a runtime does: until all is given back. The namespace may go first. */
  async end(pod: Pod): Promise<void> {
    if (this.#random() < 0.5) pod.netns.end()
    await this.#delete(pod)
    pod.netns.end()
    this.#known.delete(pod.container)
    this.count.ended++
  }

  /** What the runtime still has; to be told to GC. */
  async collect(): Promise<Answer> {
    const valid = [...this.#known].map(containerID => ({ containerID, ifname: 'eth0' }))
    this.count.gcs++
    return this.bed.run('GC', { conf: { ...this.conf, 'cni.dev/valid-attachments': valid } })
  }

  /** Kills one of all that runs at this moment. */
  killOne(): void {
    const running = processesOf(this.bed)
    const victim = running[Math.floor(this.#random() * running.length)]
    if (victim === undefined) return
    try {
      process.kill(victim, 'SIGKILL')
      this.count.kills++
    } catch {
      // It has ended by itself.
    }
  }

  /** Starts a pod; undefined = it could not be, and nothing of it is left. */
  async start(): Promise<Pod | undefined> {
    const pod = { container: `pod-${++this.count.started}`, netns: await HeldNetns.make(this.#t) }
    this.#known.add(pod.container)
    const options = { conf: this.conf, args: this.bed.args(), container: pod.container, netns: pod.netns.path }
    if ((await this.bed.run('ADD', options)).code === 0) return pod
    this.count.failed++
    await this.end(pod)
    return undefined
  }

  async #delete({ container, netns }: Pod): Promise<void> {
    const options = { conf: this.conf, args: this.bed.args(), container, netns: netns.path }
    for (let tries = 1; ; tries++) {
      const answer = await this.bed.run('DEL', options)
      if (answer.code === 0) return
      if (tries === 100) throw new Error(`${container} does not end: ${answer.stdout}`)
    }
  }

  /** The machine loses power over it, as it were: GC finds what is left. */
  #forget({ container, netns }: Pod): void {
    netns.end()
    this.#known.delete(container)
    this.count.forgotten++
  }
}

function bridge(bed: KactusBed, name: string, index: number) {
  const ranges = [[{ subnet: `10.${100 + index}.0.0/16` }]]
  const ipam = { type: 'host-local', dataDir: join(bed.folder, 'leases'), ranges }
  return { type: 'bridge', cniVersion: '1.0.0', bridge: `br-${name}`, isGateway: true, ipam }
}

/** kactus itself, its delegates and theirs, and nothing of anybody else. */
function processesOf(bed: KactusBed): readonly number[] {
  const sign = `CNI_PATH=${bed.bin}`
  const isOurs = (pid: string) => {
    try {
      const isNamed = /^(kactus|bridge|host-local)/.test(readFileSync(`/proc/${pid}/comm`, 'utf8'))
      return isNamed && readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(sign)
    } catch {
      return false
    }
  }
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && isOurs(name))
    .map(Number)
}

/** `CONTAINER INTERFACE ADDRESS` of every lease. */
function leasesOf(bed: KactusBed): readonly string[] {
  const all = leaseFolders(bed).flatMap(folder =>
    readdirSync(folder)
      .filter(file => /^[\d.]+$/.test(file))
      .map(file => `${readFileSync(join(folder, file), 'utf8').replace(/\r?\n/, ' ')} ${file}`),
  )
  return all.toSorted()
}

function leaseFolders(bed: KactusBed): readonly string[] {
  return networks.map(name => join(bed.folder, 'leases', name)).filter(folder => existsSync(folder))
}

/**
 * host-local makes a file before it writes whose it is. What a kill between the two leaves is empty, and no call of any
 * plugin can find it: docs/operations.md has the command that does. Returns how many there were.
 */
async function freeTorn(bed: KactusBed): Promise<number> {
  const manual = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8')
  const [command = ''] = /^flock .*-delete$/m.exec(manual) ?? []
  const before = leasesOf(bed).length
  for (const folder of leaseFolders(bed))
    await runCommand(['sh', '-ec', command.replaceAll('/var/lib/cni/networks/NETWORK', folder)])
  return before - leasesOf(bed).length
}

/** The same from within the living pods. */
async function addressesOf(pods: readonly Pod[]): Promise<readonly string[]> {
  const lists = pods.map(async ({ container, netns }) =>
    (await netns.interfaces()).map(line => `${container} ${line.replace(/\/\d+$/, '')}`),
  )
  return (await Promise.all(lists)).flat().toSorted()
}

async function account(t: Test, soak: Soak, node: HeldNetns): Promise<void> {
  const { bed, living } = soak
  // One that is there in any case.
  writeFileSync(join(bed.folder, 'leases/main/10.100.255.254'), '')
  const torn = await freeTorn(bed)
  t.ok(torn > 0, 'empty leases are found')
  const addresses = await addressesOf(living)
  t.equal(addresses.length, living.length * networks.length, 'every living pod has its four interfaces')
  t.ok(
    addresses.every(line => line.split(' ').length === 3),
    'each with an address',
  )
  t.equal(new Set(addresses.map(line => line.split(' ')[2])).size, addresses.length, 'none twice')
  t.same(leasesOf(bed), addresses, 'leases are of living pods, and all of them')
  t.comment(`${torn - 1} empty leases: host-local was killed between two of its system calls`)
  const links = (await node.interfaces()).filter(line => line.startsWith('veth'))
  t.equal(links.length, living.length * networks.length, 'interfaces of the node')
  t.same(bed.state(), living.map(({ container }) => `records/${container}.json`).toSorted(), 'records, no other file')
  t.same(processesOf(bed), [], 'processes')
}

for (const program of programs) {
  t.test(basename(program), async t => {
    const dice = createRandom(seed)
    const random = () => dice(1_000_000) / 1_000_000
    const bed = await KactusBed.make(t, program)
    const node = await HeldNetns.make(t)
    bed.prefix = node.prefix
    await bed.installReal('bridge', 'host-local')
    for (const [index, name] of networks.entries()) if (name !== 'main') bed.putNetwork(name, bridge(bed, name, index))
    bed.putPod(networks.slice(1).map(name => ({ name })))
    const soak = new Soak(t, bed, random)

    const trouble = async () => {
      for (let turn = 0; !soak.isOver; turn++) {
        await sleep(20 + random() * 180)
        soak.killOne()
        bed.agent.says = turn % 40 > 35 ? 'silence' : undefined
      }
    }
    const collecting = async () => {
      while (!soak.isOver) {
        await sleep(500)
        await soak.collect()
      }
    }
    const stop = sleep((seconds / programs.length) * 1000).then(() => {
      soak.isOver = true
    })
    await Promise.all([stop, trouble(), collecting(), ...Array.from({ length: workers }, () => soak.work())])

    bed.agent.says = undefined
    // Whatever was left by then, new pods start on it.
    while (soak.living.length < 3) soak.living.push(...[await soak.start()].filter(pod => pod !== undefined))
    await until('a GC that is undisturbed', async () => (await soak.collect()).code === 0)
    t.comment(JSON.stringify({ seed, ...soak.count, living: soak.living.length }))
    t.ok(soak.count.started > 0 && soak.count.kills > 0 && soak.count.gcs > 0, 'something happened')
    await account(t, soak, node)
    for (const pod of soak.living.splice(0)) await soak.end(pod)
    await account(t, soak, node)
  })
}
