import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterMachine } from '../e2e/cluster/machine.ts'

const everyMs = 2000

/** Kills each node's agent every two seconds, from now on until `end`. */
export class AgentKiller {
  readonly #stop = new AbortController()
  readonly #kills = new Map<string, number>()
  readonly #running: Promise<void>

  constructor(nodes: ReadonlyMap<string, ClusterMachine>) {
    this.#running = this.#run(nodes)
  }

  /** Stops; returns how many agents it has killed, by node. */
  async end(): Promise<ReadonlyMap<string, number>> {
    this.#stop.abort()
    await this.#running
    return this.#kills
  }

  async #run(nodes: ReadonlyMap<string, ClusterMachine>): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      for (const [name, machine] of nodes) {
        const killed = await killAgents(machine)
        this.#kills.set(name, (this.#kills.get(name) ?? 0) + killed)
      }
      await sleep(everyMs, undefined, { signal }).catch(() => undefined)
    }
  }
}

/** With SIGKILL, of which a process learns nothing; returns how many there were. */
async function killAgents({ group }: ClusterMachine): Promise<number> {
  const pids = await group.processes()
  const killed = await Promise.all(pids.map(async pid => (await isAgent(pid)) && kill(pid)))
  return killed.filter(Boolean).length
}

async function isAgent(pid: number): Promise<boolean> {
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
  return words.includes('/usr/bin/nopal') && words.includes('agent')
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}
