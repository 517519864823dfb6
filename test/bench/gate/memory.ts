import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startLab } from '../../lab/lab.ts'

/**
 * Prints how much memory settled agents take at the default settings, sampled every five seconds: node
 * test/bench/gate/memory.ts [MINUTES] (root). The first agent verifies from host and sandbox, the second from the host alone.
 */

const minutes = Number(process.argv[2] ?? 5)
const settledS = 60
const names = '[verify]\ndns-domains = kubernetes.default.svc.cluster.local, example.com\n'
const kinds = [
  { name: 'host and sandbox', settings: names },
  { name: 'host alone', settings: `${names}from = host\n` },
]

const lab = await startLab({ nodes: kinds.length })
try {
  const agents = await Promise.all(
    kinds.map(async ({ name, settings }, index) => ({
      name,
      pid: (await lab.startAgent(lab.node(index + 1), { settings })).pid,
      samples: [] as number[],
    })),
  )
  await sleep(settledS * 1000)
  for (let second = settledS; second < minutes * 60; second += 5) {
    await sleep(5_000)
    for (const { pid, samples } of agents) samples.push(readStatus(pid, 'VmRSS'))
  }
  for (const { name, pid, samples } of agents) {
    const sorted = samples.toSorted((one, other) => one - other)
    const figures = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].join(' / ')
    const parts = ['RssAnon', 'RssFile', 'VmHWM'].map(key => `${key} ${readStatus(pid, key)}`)
    process.stdout.write(`${name}: VmRSS least / median / most ${figures} kB; at the end ${parts.join(', ')}\n`)
  }
} finally {
  await lab.stop()
}

function readStatus(pid: number, key: string): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n')
    .find(each => each.startsWith(`${key}:`))
  return Number(/\d+/.exec(line ?? '')?.[0])
}
