import { readRecord } from '../../cni/networks/record-folder.ts'
import { until } from '../machine/wait.ts'
import { mergePatch } from './gate-bed.ts'
import type { Lab } from './lab.ts'
import type { LabNode } from './node.ts'
import { ask, hasTestTaint, readNode } from './objects.ts'
import type { LabPod } from './pods.ts'
import { firstConfName } from './runtime.ts'

export const links = { green: 'net9f27410725ab', blue: 'net48d6215903df' } as const
export const multusAnnotation = 'k8s.v1.cni.cncf.io/networks'
export const statusAnnotation = 'k8s.v1.cni.cncf.io/network-status'

/** The parts of a Pod that these tests look at. */
interface PodObject {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }
}

interface EventObject {
  readonly regarding: { readonly kind: string; readonly name: string }
  readonly reason: string
  readonly note: string
}

/** From the host alone: every cable there is shall be a pod's. */
export const hotplugSettings = '[verify]\nfrom = host\ninterval = 1s\n'

/** Waits until an agent has put kactus in place and opened its node. */
export async function untilServed(lab: Lab, node: LabNode): Promise<void> {
  await until(`kactus on ${node.name}`, () => firstConfName(node) === '05-kactus.conflist')
  await until(`${node.name} verified`, async () => !hasTestTaint(await readNode(lab.api, node.name)))
}

const pathOf = ({ sandbox: { pod } }: LabPod) => `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}`

/** As kubelet does once the containers run. */
export async function sayRunning(lab: Lab, pod: LabPod): Promise<void> {
  const body = { status: { phase: 'Running' } }
  await ask(lab.api, { method: 'PATCH', path: `${pathOf(pod)}/status`, body, contentType: mergePatch })
}

/** Edits annotations as a person does; null takes one off. */
export async function annotate(lab: Lab, pod: LabPod, annotations: Record<string, unknown>): Promise<void> {
  const texts = Object.entries(annotations).map(([key, value]) => [
    key,
    value === null || typeof value === 'string' ? value : JSON.stringify(value),
  ])
  const body = { metadata: { annotations: Object.fromEntries(texts) } }
  await ask(lab.api, { method: 'PATCH', path: pathOf(pod), body, contentType: mergePatch })
}

/** Waits until the pod has these interfaces beside eth0, each with an address, which comes after it, and no others. */
export async function untilLinks(pod: LabPod, names: readonly string[]): Promise<void> {
  const wanted = ['eth0', ...names].sort().join(' ')
  const isSo = async () => {
    const found = await pod.interfaces()
    return namesOf(found) === wanted && found.every(({ addresses }) => addresses.length > 0)
  }
  await until(`${pod.name} to have ${wanted}`, isSo)
}

export async function linksOf(pod: LabPod): Promise<string> {
  return namesOf(await pod.interfaces())
}

function namesOf(found: readonly { readonly name: string }[]): string {
  return found
    .map(({ name }) => name)
    .sort()
    .join(' ')
}

/** What kactus has on record of the pod's networks: `default/green added`. */
export function recordedOf({ node, sandbox }: LabPod): readonly string[] {
  const record = readRecord(node.path('/var/lib/cni/kactus'), sandbox.containerId)
  return (record?.attachments ?? []).map(({ network, list, status }) => `${network ?? list.name} ${status}`)
}

/** Waits until kactus has these on record, attached, and nothing else. */
export async function untilRecorded(pod: LabPod, networks: readonly string[]): Promise<void> {
  const wanted = networks
    .map(each => `${each} added`)
    .sort()
    .join(', ')
  await until(`${wanted} on record`, () => [...recordedOf(pod)].sort().join(', ') === wanted)
}

/** Reason and note of each Event about the pod. */
export async function eventsOf(lab: Lab, pod: LabPod): Promise<readonly string[]> {
  const path = `/apis/events.k8s.io/v1/namespaces/${pod.sandbox.pod.namespace}/events`
  const { items } = (await ask(lab.api, { method: 'GET', path })) as { items: readonly EventObject[] }
  const own = items.filter(({ regarding }) => regarding.kind === 'Pod' && regarding.name === pod.name)
  return own.map(({ reason, note }) => `${reason} ${note}`)
}

/** Waits for an Event about the pod. */
export async function untilSaidOf(lab: Lab, pod: LabPod, pattern: RegExp): Promise<void> {
  await until(`an Event of ${pod.name} like ${pattern}`, async () =>
    (await eventsOf(lab, pod)).some(each => pattern.test(each)),
  )
}

/** What the pod's status annotation says. */
export async function statusOf(lab: Lab, pod: LabPod): Promise<readonly Record<string, unknown>[]> {
  const { metadata } = (await ask(lab.api, { method: 'GET', path: pathOf(pod) })) as PodObject
  return JSON.parse(metadata.annotations?.[statusAnnotation] ?? '[]') as readonly Record<string, unknown>[]
}
