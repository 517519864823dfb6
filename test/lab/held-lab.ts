import { startLab } from './lab.ts'

// A program for tests about endings: starts a lab of one node with a pod, says which run it is, and ends as told
// by its first line of input: `throw`, `exit`, or not at all. It never outlives the test that holds its input.

const lab = await startLab({ nodes: 1 })
await lab.startPod(lab.node(1), { name: 'p1' })
process.stdout.write(`${lab.run.id}\n`)
process.stdin.once('data', order => {
  if (String(order).trim() === 'exit') process.exit(7)
  throw new Error('as the test wanted')
})
process.stdin.once('end', () => process.exit(0))
