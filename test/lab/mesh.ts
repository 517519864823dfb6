import type { LabNode } from './node.ts'

/** The lab's mesh. */
export const mesh = {
  device: 'nm-lab',
  port: 51821,
  mtu: 1420,
  prefixLength: 24,
  address: (number: number) => `10.101.0.${number}`,
} as const

/**
 * Drops what a node's device sends to another node: any packet of a peer would put its endpoint right.
 * @returns ends it
 */
export async function mute(node: LabNode, to: LabNode): Promise<() => Promise<unknown>> {
  const rule = `ip daddr ${to.plan.publicAddress} udp sport ${mesh.port} drop`
  const chain = `chain out { type filter hook output priority 0; ${rule}; };`
  await node.run(['nft', `table inet muted { ${chain} }`])
  return () => node.run(['nft', 'delete', 'table', 'inet', 'muted'])
}
