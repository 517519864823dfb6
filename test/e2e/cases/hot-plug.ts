import type { Test } from 'tap'
import { until } from '../../machine/wait.ts'
import type { Bed, Case } from '../bed.ts'
import { getObject } from '../cluster/api.ts'
import { endPod, eventsOf, readPod, startPod } from '../objects.ts'
import { addressesAtRest } from '../pods-on-networks.ts'

const links = { green: 'net9f27410725ab', blue: 'net48d6215903df' } as const
const mac = '02:00:00:00:00:2b'
const status = 'k8s.v1.cni.cncf.io/network-status'
const names = ['plug1', 'plug2'] as const

/** Networks come to pods that run, and go again. */
export const hotPlug: readonly Case[] = [
  { name: 'green and blue come to running pods, with the MAC as asked, and packets arrive', run: plug },
  { name: 'its Events and its status annotation name them', run: tell },
  { name: 'green goes again; eth0 and the process are as before', run: unplug },
  { name: "the same through the annotation of multus' users", run: plugAsMultus },
]

type Kubectl = Bed['cluster']['kubectl']

const annotate = (kubectl: Kubectl, pod: string, ...words: readonly string[]) =>
  kubectl(['annotate', '--overwrite', 'pod', pod, ...words])

const addressesIn = (kubectl: Kubectl, pod: string) => kubectl(['exec', pod, '--', 'ip', '-o', '-4', 'addr'])

function waitForLinks(kubectl: Kubectl, pod: string, wanted: RegExp, unwanted?: RegExp): Promise<string> {
  return until(
    `${wanted} of ${pod}`,
    async () => {
      const said = await addressesIn(kubectl, pod)
      return wanted.test(said) && unwanted?.test(said) !== true ? said : Promise.reject(new Error(said))
    },
    { limitMs: 30_000, despiteErrors: true },
  )
}

async function plug(t: Test, { cluster: { admin, kubectl }, near }: Bed): Promise<void> {
  await Promise.all(names.map(name => startPod(admin, { name, node: near.name })))
  await annotate(kubectl, 'plug1', `networks=[{"name":"green","ifMac":"${mac}"},{"name":"blue"}]`)
  await annotate(kubectl, 'plug2', 'networks=[{"name":"green"},{"name":"blue"}]')
  const both = new RegExp(`${links.green} [^]*${links.blue} `)
  await waitForLinks(kubectl, 'plug1', both)
  const said = await waitForLinks(kubectl, 'plug2', both)
  for (const link of Object.values(links)) {
    const [, address = ''] = new RegExp(`${link} +inet ([\\d.]+)`).exec(said) ?? []
    t.match(
      await kubectl(['exec', 'plug1', '--', 'ping', '-c', '1', '-W', '5', '-I', link, address]),
      ' 0% packet loss',
    )
  }
  t.match(await kubectl(['exec', 'plug1', '--', 'cat', `/sys/class/net/${links.green}/address`]), mac)
}

async function tell(t: Test, { cluster: { admin } }: Bed): Promise<void> {
  await until('both Events', async () => (await eventsOf(admin, 'plug1', 'AddedInterface')).length === 2, {
    limitMs: 20_000,
    despiteErrors: true,
  })
  const told = await until(
    'the status annotation',
    async () => {
      const pod = await getObject<{ metadata: { annotations?: Record<string, string> } }>(
        admin,
        '/api/v1/namespaces/default/pods/plug1',
      )
      const all = JSON.parse(pod?.metadata.annotations?.[status] ?? '[]') as readonly object[]
      return all.length === 3 ? all : undefined
    },
    { limitMs: 20_000, despiteErrors: true },
  )
  t.match(told, [
    { interface: 'eth0', default: true },
    { name: 'default/green', interface: links.green, mac },
    { name: 'default/blue', interface: links.blue },
  ])
}

async function unplug(t: Test, { cluster: { admin, kubectl } }: Bed): Promise<void> {
  const eth0 = await addressesAtRest(kubectl, 'plug1', 'show', 'eth0')
  await annotate(kubectl, 'plug1', 'networks=[{"name":"blue"}]')
  await waitForLinks(kubectl, 'plug1', new RegExp(`${links.blue} `), new RegExp(links.green))
  t.equal(await addressesAtRest(kubectl, 'plug1', 'show', 'eth0'), eth0)
  const pod = await readPod(admin, 'plug1')
  t.same(
    pod?.status.containerStatuses?.map(({ restartCount }) => restartCount),
    [0],
  )
}

async function plugAsMultus(t: Test, { cluster: { admin, kubectl } }: Bed): Promise<void> {
  await annotate(kubectl, 'plug1', 'networks-', 'k8s.v1.cni.cncf.io/networks=red@red0')
  const said = await waitForLinks(kubectl, 'plug1', /red0 /, new RegExp(links.blue))
  t.match(said, /red0 +inet 192\.168\.44\./)
  await Promise.all(names.map(name => endPod(admin, name)))
}
