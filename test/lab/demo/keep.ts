import { spawn } from 'node:child_process'
import type { Lab } from '../lab.ts'
import type { LabPod } from '../pods.ts'
import type { Teller } from './teller.ts'

/**
 * Has the demo told by a child in a session of its own, which goes on holding the lab when this process ends.
 * @returns the exit code, once the story has been told
 */
export function tellInBackground(program: string, colours: boolean): Promise<number> {
  const flags = ['--held', ...(colours ? ['--colours'] : [])]
  const child = spawn(process.execPath, [program, ...flags], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  child.stdout?.pipe(process.stdout)
  child.stderr?.pipe(process.stderr)
  // In another session it does not hear Ctrl-C by itself.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill('SIGTERM'))
  return new Promise(resolve => {
    child.once('exit', code => resolve(code ?? 1))
    child.once('message', () => {
      child.disconnect()
      child.stdout?.destroy()
      child.stderr?.destroy()
      child.unref()
      resolve(0)
    })
  })
}

/** Says how to look around and how to end it, then lets the waiting parent go. This process stays until a signal. */
export function holdLab(lab: Lab, pods: readonly LabPod[], teller: Teller): void {
  teller.say(`\nIt keeps running. To look around, as root:\n`)
  for (const [command, purpose] of commandsFor(lab, pods)) teller.say(`  # ${purpose}\n  ${command}`)
  teller.say('\nThe API server here knows what nopal asks for; for kubectl: scripts/demo.sh --cluster --keep.')
  teller.say(`\nTo end it and clean up:\n  kill ${process.pid}`)
  process.stdout.on('error', () => {})
  // Holds this process: the children alone would not.
  setInterval(() => {}, 2 ** 30)
  process.stdout.write('', () => process.send?.('told'))
}

function commandsFor(lab: Lab, pods: readonly LabPod[]): (readonly [string, string])[] {
  const [node] = lab.nodes
  if (node === undefined) return []
  const pod = pods.find(each => each.node === node)
  return [
    [`${node.enterScript} wg show`, `any program on ${node.name}; the other nodes have a script like it`],
    [`${node.nopalScript} verify --dry-run`, `nopal on ${node.name}`],
    ...(pod === undefined ? [] : [[`${pod.enterCommand} ip addr`, `any program in pod ${pod.name}`] as const]),
    [`ls ${lab.run.folder}/logs`, 'what everything has logged'],
  ]
}
