import { access } from 'node:fs/promises'
import type { Machine } from '../../machine/machine.ts'
import { bringUp, join, type MeshKeys, makeMeshKeys, meshDaemon, meshSocket } from '../../machine/mesh.ts'
import { waitFor } from '../../machine/wait.ts'
import { mesh, type NodePlan } from './plan.ts'

/** One node in the mesh. */
export interface MeshMember extends MeshKeys {
  readonly plan: NodePlan
  readonly machine: Machine
}

/** Starts wireguard-go on a node; the device has its key and address, but no peers yet. */
export async function startMember(plan: NodePlan, machine: Machine): Promise<MeshMember> {
  const daemon = await machine.start(meshDaemon(mesh))
  const keys = await makeMeshKeys()
  const wait = { what: `${daemon.name} on ${plan.name}`, limitMs: 10_000, everyMs: 20, hopeless: [daemon.ended] }
  await waitFor(wait, () => access(machine.path(meshSocket(mesh))).then(() => true))
  await bringUp(machine.run.bind(machine), mesh, plan.meshAddress)
  return { plan, machine, ...keys }
}

/** A node's own pods' addresses, as the cluster gave them out. */
export type PodCidrs = ReadonlyMap<string, string>

/** Joins the members, each to each, and leads each node's pod addresses to it. */
export async function joinMembers(members: readonly MeshMember[], podCidrs: PodCidrs): Promise<void> {
  const peers = members.map(({ plan, publicKey }) => ({ ...plan, publicKey, podCidr: podCidrs.get(plan.name) ?? '' }))
  const joinOne = ({ plan, machine, privateKey }: MeshMember) => {
    const others = peers.filter(({ name }) => name !== plan.name)
    return join(machine.run.bind(machine), mesh, { privateKey, port: mesh.port, peers: others, keepaliveSeconds: 25 })
  }
  await Promise.all(members.map(joinOne))
}
