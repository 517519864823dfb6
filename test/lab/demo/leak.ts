import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../machine/wait.ts'
import type { Lab } from '../lab.ts'
import { mesh, mute } from '../mesh.ts'
import type { LabNode } from '../node.ts'
import { networkCondition, readNode } from '../objects.ts'

/**
 * Makes an address of n2's pods its endpoint on n1, as netclient does that has learned it, and tells what becomes of it.
 * n2 is kept from sending meanwhile: any packet from it would put the endpoint right.
 */
export async function leakAndHeal(lab: Lab): Promise<string[]> {
  const [one, two] = [lab.node(1), lab.node(2)]
  const key = (await two.run(['wg', 'show', mesh.device, 'public-key'])).trim()
  const right = `${two.plan.publicAddress}:${mesh.port}`
  const wrong = two.plan.podCidr.replace(/\.0\/.*/, `.7:${mesh.port}`)
  const said = logOf(lab, one)
  const unmute = await mute(two, one)
  try {
    const before = await sentTo(one, key)
    const beganMs = performance.now()
    const seconds = () => `${((performance.now() - beganMs) / 1000).toFixed(1)} s`
    await one.run(['wg', 'set', mesh.device, 'peer', key, 'endpoint', wrong, 'persistent-keepalive', '1'])
    const note = await until('the leak to be seen', () => /"msg":"(the WireGuard endpoint [^"]*)"/.exec(said())?.[1], {
      everyMs: 20,
    })
    const seen = seconds()
    const isRight = async () => (await one.run(['wg', 'show', mesh.device, 'endpoints'])).includes(`${key}\t${right}`)
    await until('the endpoint to be right', isRight, { everyMs: 20 })
    const healed = seconds()
    const looped = ((await sentTo(one, key)) - before) / 1e6
    return [
      `n1: wg set ${mesh.device} peer (n2) endpoint ${wrong}, where n2 is ${right}`,
      `seen after ${seen}: ${note}`,
      `put right after ${healed}: ${right}; until then ${looped.toFixed(1)} MB went round in the tunnel`,
    ]
  } finally {
    await unmute()
  }
}

/** A heal counts once the peer has proved to live and nobody has put the wrong endpoint back. */
export async function seeProved(lab: Lab): Promise<string[]> {
  const said = logOf(lab, lab.node(1))
  const note = await until(
    'the proof',
    () => /"msg":"(the WireGuard endpoint [^"]*proved to work)"/.exec(said())?.[1],
    {
      limitMs: 60_000,
    },
  )
  const isWell = async () => networkCondition(await readNode(lab.api, 'n1'))?.status === 'True'
  await until('n1 to be well', isWell, { limitMs: 60_000 })
  return [note, 'n1: condition True, Verified']
}

function logOf(lab: Lab, { name }: LabNode): () => string {
  return () => readFileSync(join(lab.run.folder, 'logs', `${name}-agent.log`), 'utf8')
}

async function sentTo(node: LabNode, key: string): Promise<number> {
  const lines = (await node.run(['wg', 'show', mesh.device, 'transfer'])).split('\n')
  return Number(lines.find(line => line.startsWith(key))?.split('\t')[2])
}
