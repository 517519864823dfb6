import { existsSync } from 'node:fs'
import { bringUp, join, type MeshKeys, makeMeshKeys, meshDaemon, meshSocket } from '../machine/mesh.ts'
import { until } from '../machine/wait.ts'
import type { Cleanup } from './cleanup.ts'
import type { LabNode } from './node.ts'

/** The lab's mesh. */
export const mesh = {
  device: 'nm-lab',
  port: 51821,
  mtu: 1420,
  prefixLength: 24,
  address: (number: number) => `10.101.0.${number}`,
} as const

interface Member extends MeshKeys {
  readonly node: LabNode
}

/** Joins the nodes by WireGuard, each to each, and routes their pods' networks over it. */
export async function startMesh(nodes: readonly LabNode[], cleanup: Cleanup): Promise<void> {
  const members = await Promise.all(nodes.map(async node => ({ node, ...(await makeMeshKeys()) })))
  await Promise.all(members.map(member => startMember(member, members, cleanup)))
}

async function startMember({ node, privateKey }: Member, members: readonly Member[], cleanup: Cleanup): Promise<void> {
  const { name, argv, env } = meshDaemon(mesh)
  const daemon = node.start(name, argv, env)
  cleanup.add(`${name} of ${node.name}`, () => daemon.stop())
  await until(`${name} on ${node.name}`, () => existsSync(node.path(meshSocket(mesh))) || daemon.failIfEnded())
  const run = node.must.bind(node)
  await bringUp(run, mesh, node.plan.meshAddress)
  const others = members.filter(other => other.node !== node)
  const peers = others.map(({ publicKey, node: { plan } }) => ({ publicKey, address: plan.publicAddress, ...plan }))
  await join(run, mesh, { privateKey, port: mesh.port, peers })
}

/**
 * Drops what a node's device sends to another node: any packet of a peer would put its endpoint right.
 * @returns ends it
 */
export async function mute(node: LabNode, to: LabNode): Promise<() => Promise<unknown>> {
  const rule = `ip daddr ${to.plan.publicAddress} udp sport ${mesh.port} drop`
  const chain = `chain out { type filter hook output priority 0; ${rule}; };`
  await node.must(['nft', `table inet muted { ${chain} }`])
  return () => node.must(['nft', 'delete', 'table', 'inet', 'muted'])
}
