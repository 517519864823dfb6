import { type Conf, readConf, readDelegates } from '../../../../cni/kactus/config.ts'
import type { Request } from '../../../../cni/kactus/request.ts'
import type { Attachment, ContainerRecord } from '../../../../cni/networks/record.ts'
import { parseCniArgs } from '../../../../cni/spec/args.ts'
import { type ConfList, confListFrom } from '../../../../cni/spec/conf.ts'
import type { CniCommand } from '../../../../cni/spec/plugin.ts'

export const GREEN = 'net9f27410725ab'
export const BLUE = 'net48d6215903df'

/** Arguments as kubelet's runtimes set them. */
export const podArgs = 'IgnoreUnknown=1;K8S_POD_NAMESPACE=team;K8S_POD_NAME=p1;K8S_POD_UID=u1'

/** A configuration whose default network is plugin `main`. */
export function confOf(more: Readonly<Record<string, unknown>> = {}): Conf {
  const least = { name: 'kactus-net', cniVersion: '1.1.0', delegates: [{ type: 'main', name: 'default' }] }
  return readConf(JSON.stringify({ ...least, ...more }))
}

export function requestOf(command: CniCommand, more: Partial<Omit<Request, 'args'>> & { args?: string } = {}): Request {
  const { args = podArgs, ...rest } = more
  const named = { containerId: 'c1', netns: '/run/netns/x', ifname: 'eth0', path: '/opt/cni/bin' }
  return { command, ...named, args: parseCniArgs(args), ...rest }
}

function defaultList(): ConfList {
  const [delegate] = readDelegates(confOf())
  if (delegate === undefined) throw new Error('the configuration has no delegate')
  return delegate.list
}

/** The default network of a container, attached. */
export function primary(more: Partial<Attachment> = {}): Attachment {
  return {
    conf: 'kactus-net',
    owner: 'eth0',
    network: undefined,
    ifname: 'eth0',
    isPrimary: true,
    mac: undefined,
    args: '',
    capabilityArgs: {},
    list: defaultList(),
    status: 'added',
    result: { cniVersion: '1.1.0', ips: [{ address: '10.1.0.2/24' }], dns: {} },
    refusal: undefined,
    ...more,
  }
}

/** Network `green` of the same ADD, attached. */
export function aux(more: Partial<Attachment> = {}): Attachment {
  return primary({
    network: 'team/green',
    ifname: GREEN,
    isPrimary: false,
    list: confListFrom({ name: 'green', cniVersion: '1.1.0', plugins: [{ type: 'aux' }] }),
    ...more,
  })
}

/** Network `blue`, attached while the pod ran. */
export function hotplugged(more: Partial<Attachment> = {}): Attachment {
  const list = confListFrom({ name: 'blue', cniVersion: '1.1.0', plugins: [{ type: 'hot' }] })
  return aux({ owner: undefined, network: 'team/blue', ifname: BLUE, list, ...more })
}

export function recordOf(attachments: readonly Attachment[], more: Partial<ContainerRecord> = {}): ContainerRecord {
  return {
    containerId: 'c1',
    netns: '/run/netns/x',
    pod: { namespace: 'team', name: 'p1', uid: 'u1' },
    attachments,
    ...more,
  }
}
