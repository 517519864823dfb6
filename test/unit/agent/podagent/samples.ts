import type { NodePod } from '../../../../agent/kube/pod.ts'
import type { Attachment, ContainerRecord } from '../../../../cni/networks/record.ts'
import { confListFrom } from '../../../../cni/spec/conf.ts'
import { primary as attachedFirst } from '../../cni/kactus/fixtures.ts'

export const green = 'net9f27410725ab'
export const blue = 'net48d6215903df'

const anyList = confListFrom({ name: 'any', cniVersion: '1.0.0', plugins: [{ type: 'bridge' }] })

/** Pod `team/p1` with such a `networks` annotation, a text as it is. */
export function podOf(
  networks: unknown,
  more: Partial<NodePod> & { annotations?: Record<string, string> } = {},
): NodePod {
  const { annotations = {}, ...rest } = more
  const own =
    networks === undefined ? {} : { networks: typeof networks === 'string' ? networks : JSON.stringify(networks) }
  return {
    namespace: 'team',
    name: 'p1',
    facts: { uid: 'u1', annotations: { ...own, ...annotations } },
    hostNetwork: false,
    phase: 'running',
    told: undefined,
    ...rest,
  }
}

/** The default network of that pod, attached by its runtime. */
export function primary(more: Partial<Attachment> = {}): Attachment {
  return attachedFirst({
    list: anyList,
    result: {
      cniVersion: '1.0.0',
      interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:01', sandbox: '/run/netns/x' }],
      ips: [{ address: '10.1.0.2/24', gateway: '10.1.0.1', interface: 0 }],
      dns: {},
    },
    ...more,
  })
}

/** A further network, attached while the pod ran. */
export function attached(network: string, ifname: string, more: Partial<Attachment> = {}): Attachment {
  const result = {
    cniVersion: '1.0.0',
    interfaces: [{ name: ifname, mac: '02:00:00:00:00:02', sandbox: '/run/netns/x' }],
    ips: [{ address: '192.168.42.10/24', interface: 0 }],
    dns: {},
  }
  return primary({ owner: undefined, network, ifname, isPrimary: false, result, ...more })
}

export function recordOf(attachments: readonly Attachment[], more: Partial<ContainerRecord> = {}): ContainerRecord {
  const pod = { namespace: 'team', name: 'p1', uid: 'u1' }
  return { containerId: 'c1', netns: '/run/netns/x', pod, attachments, ...more }
}
