import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { readRecords } from '../../../cni/networks/record-folder.ts'
import { daemonsFolder } from '../../machine/cgroups.ts'
import type { Machine } from '../../machine/machine.ts'
import { until } from '../../machine/wait.ts'
import type { Bed, Case } from '../bed.ts'
import type { ClusterMachine } from '../cluster/machine.ts'
import { startContainerd } from '../cluster/node.ts'
import { recordOf, strayTraces } from '../host.ts'
import { createPod, dropPod, endPod, startPod, waitForRunning } from '../objects.ts'
import { addressesAtRest } from '../pods-on-networks.ts'

/** What a container runtime forgets when it dies. */
export const runtimeKilled: readonly Case[] = [
  { name: 'containerd killed with kill -9 while pods start, and pods deleted meanwhile: nothing is left over', run },
]

const annotations = { networks: '[{"name": "green"}, {"name": "blue"}]' }
const [dropped, kept] = [
  ['lost1', 'lost2', 'lost3'],
  ['kept1', 'kept2', 'kept3'],
]

async function run(t: Test, { cluster: { admin, kubectl }, far: { machine, name: node } }: Bed): Promise<void> {
  const { metadata } = await startPod(admin, { name: 'steady', node, annotations })
  const look = async () => [await recordOf(machine, metadata.uid), await addressesAtRest(kubectl, 'steady')]
  const [before, records] = [await look(), await countRecords(machine)]
  await Promise.all([...dropped, ...kept].map(name => createPod(admin, { name, node, annotations })))
  await until('kactus at work', async () => (await countRecords(machine)) > records, {
    limitMs: 60_000,
    everyMs: 10,
    despiteErrors: true,
  })
  await killRuntime(machine)
  t.comment(`${(await countRecords(machine)) - records} of ${dropped.length + kept.length} sandboxes were begun`)
  for (const name of dropped) await dropPod(admin, name)
  await startContainerd(machine, [])
  const backMs = performance.now()
  for (const name of kept) await waitForRunning(admin, name, 120_000)
  await until(
    'nothing left over',
    async () => {
      const left = await strays(machine)
      return left.length === 0 ? true : Promise.reject(new Error(left.join(', ')))
    },
    { limitMs: 120_000, everyMs: 500, despiteErrors: true },
  )
  t.comment(`nothing left over ${Math.round((performance.now() - backMs) / 1000)} s after it was back, sweep = 5s`)
  t.same(await look(), before, 'what lives was not touched')
  for (const name of kept) {
    const links = (await kubectl(['exec', name, '--', 'ls', '/sys/class/net'])).split('\n').sort()
    t.same(links.filter(Boolean), ['eth0', 'lo', 'net48d6215903df', 'net9f27410725ab'], `${name} is attached`)
  }
  await Promise.all([...kept, 'steady'].map(name => endPod(admin, name)))
  // containerd never asks again for what it has remembered of a sandbox and forgotten.
  for (const id of await strayTraces(machine)) await machine.shell(`rm -f /var/lib/cni/results/*${id}*`)
}

/** Processes of kactus that containerd has started. */
async function kactusOf({ group }: ClusterMachine): Promise<readonly number[]> {
  const pids = await group.processes(daemonsFolder)
  return pids.filter(pid => nameOf(pid) === 'kactus')
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}

/** With all that it has started: nobody tidies up. */
async function killRuntime(machine: ClusterMachine): Promise<void> {
  const pids = await kactusOf(machine)
  for (const pid of pids) signal(pid, 'SIGSTOP')
  await machine.group.stop('containerd', 'SIGKILL')
  for (const pid of pids) signal(pid, 'SIGKILL')
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended by itself.
  }
}

async function countRecords(machine: Machine): Promise<number> {
  return (await readRecords(machine.path('/var/lib/cni/kactus'))).records.length
}

/** But for what containerd itself remembers of its calls. */
const strays = (machine: Machine) => strayTraces(machine, ['networks', 'kactus'])
