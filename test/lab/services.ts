import { internet } from './internet.ts'
import type { LabNode } from './node.ts'

/** Service addresses every cluster has, and the range they are from. */
export const services = { cidr: '10.96.0.0/16', api: '10.96.0.1', dns: '10.96.0.10' } as const

/** All pods' networks together; the nodes have slices of it. */
const podRange = '10.42.0.0/16'

/** The API server's port in the control plane's namespace. */
export const apiPort = 6443

/** Does on a node what kube-proxy would: service addresses lead to their servers, and pods leave the cluster under the node's address. */
export async function serveServices(node: LabNode): Promise<void> {
  await node.run(['nft', '-f', '-'], { input: rules(node.plan.podCidr) })
}

function rules(podCidr: string): string {
  return `table ip nopal-lab {
  chain services {
    ip daddr ${services.api} tcp dport 443 dnat to ${internet.controlPlane}:${apiPort}
    ip daddr ${services.dns} udp dport 53 dnat to ${internet.controlPlane}
    ip daddr ${services.dns} tcp dport 53 dnat to ${internet.controlPlane}
  }
  chain from-outside { type nat hook prerouting priority dstnat; jump services; }
  chain from-here { type nat hook output priority -100; jump services; }
  chain leaving {
    type nat hook postrouting priority srcnat;
    ip saddr ${podCidr} ip daddr != ${podRange} masquerade
  }
}
`
}
