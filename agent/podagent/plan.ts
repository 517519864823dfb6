import type { Attachment, ContainerRecord } from '../../cni/networks/record.ts'
import type { NetworkRequest } from '../../cni/networks/request.ts'
import { type MultusReader, selectNetworks } from '../../cni/networks/selection.ts'
import { CniError } from '../../cni/spec/errors.ts'
import { sameJson, without } from '../../cni/spec/json.ts'
import type { NodePod } from '../kube/pod.ts'
import { isOf, type Wish, wishesOf } from './wish.ts'

/** One call of kactus about one network of a running pod. */
export interface Step {
  readonly action: 'attach' | 'detach'
  /** `namespace/name`, or the name alone where kactus shall find it. */
  readonly network: string
  readonly ifname: string
  readonly mac: string | undefined
}

/** What cannot be done, for an Event of the pod. */
export interface Problem {
  readonly reason: 'FailedAddingInterface' | 'FailedRemovingInterface'
  readonly note: string
}

export interface PodPlan {
  /** In order: what goes makes room for what comes. */
  readonly steps: readonly Step[]
  readonly problems: readonly Problem[]
  /** The runtime is at work on the pod: look again. */
  readonly isUnsettled: boolean
}

/** The configuration that the node's runtime calls kactus with. */
export interface KactusConf {
  readonly name: string
  readonly multusReader: MultusReader
}

export interface PlanInput {
  readonly pod: NodePod
  readonly conf: KactusConf
  /** What kactus knows of the pod's sandbox; undefined = nothing, or there is none. */
  readonly record: ContainerRecord | undefined
}

const nothing: PodPlan = { steps: [], problems: [], isUnsettled: false }

/** The exact difference between what a pod's annotation asks for and what it is attached to. */
export function planPod({ pod, conf, record }: PlanInput): PodPlan {
  if (pod.phase === 'ending') return nothing
  const asked = askedOf(pod, conf.multusReader)
  if ('fault' in asked) return { ...nothing, problems: [problem(`${asked.fault}; what is attached stays`)] }
  const wished = asked.wishes.filter(({ request }) => !request.isPrimary)
  if (pod.hostNetwork) return { ...nothing, problems: wished.length === 0 ? [] : [problem(onHost)] }
  const present = (record?.attachments ?? []).filter(entry => isJudged(entry, conf.name))
  if (record !== undefined && !isSettled(record, pod)) return { ...nothing, isUnsettled: true }
  const left = wished.filter(({ request }) => request.podagentSkip)
  const wanted = wished.filter(({ request }) => !request.podagentSkip)
  const ours = present.filter(entry => !left.some(({ request }) => isOf(entry, request, pod.namespace)))
  return difference(wanted, ours, pod.namespace)
}

const onHost = "the pod is on the host's network: it gets no further interfaces"

type Asked = { readonly wishes: readonly Wish[] } | { readonly fault: string }

/** What the pod asks for, or what is wrong with how it does. */
function askedOf({ facts }: NodePod, reader: MultusReader): Asked {
  try {
    return { wishes: wishesOf(selectNetworks(facts.annotations, reader)) }
  } catch (error) {
    if (!(error instanceof CniError)) throw error
    return { fault: error.message }
  }
}

/** Made for a network of the pod, under the configuration that we call kactus with, and not undone. */
function isJudged({ conf, network, isPrimary, status }: Attachment, name: string): boolean {
  return conf === name && network !== undefined && !isPrimary && status !== 'deleted'
}

/** Whether the runtime's own ADD is over. A pod that runs has got past it; one that kactus did not attach has none. */
function isSettled({ attachments }: ContainerRecord, { phase }: NodePod): boolean {
  const owned = attachments.filter(({ owner }) => owner !== undefined)
  if (owned.length === 0) return phase === 'running'
  const hasDefault = owned.some(({ isPrimary, status }) => isPrimary && status === 'added')
  return hasDefault && (phase === 'running' || owned.every(({ status }) => status === 'added' || status === 'deleted'))
}

function difference(wanted: readonly Wish[], present: readonly Attachment[], podNamespace: string): PodPlan {
  const isFirst = (wish: Wish, at: number) => wanted.findIndex(({ ifname }) => ifname === wish.ifname) === at
  const firsts = wanted.filter(isFirst)
  const matches = firsts.map(wish => {
    const found = present.find(entry => entry.ifname === wish.ifname && isOf(entry, wish.request, podNamespace))
    return { wish, found, keeps: found !== undefined && isAsWished(found, wish.request) }
  })
  // One that was broken off is begun again by ADD itself.
  const stays = new Set(
    matches.flatMap(({ found, keeps }) => (found && (keeps || found.status !== 'added') ? [found] : [])),
  )
  const missing = matches.filter(({ keeps }) => !keeps).map(({ wish }) => wish)
  return {
    steps: [
      ...present.filter(entry => !stays.has(entry)).map(detach),
      ...missing.filter(({ isAgain }) => !isAgain).map(attach),
    ],
    problems: [
      ...wanted.filter((wish, at) => !isFirst(wish, at)).map(wish => problem(namedTwice(wish, wanted))),
      ...missing.filter(({ isAgain }) => isAgain).map(({ title }) => problem(onlyAtStart(title))),
    ],
    isUnsettled: false,
  }
}

/** Whether nothing has to change for it; what the pod does not say is as it likes. */
function isAsWished({ status, mac, capabilityArgs }: Attachment, request: NetworkRequest): boolean {
  if (status !== 'added') return false
  const isMac = request.mac === undefined || request.mac === mac
  return isMac && sameJson(without(capabilityArgs, isOurs), request.capabilityArgs)
}

/** Given by kactus itself, beside what the pod asks of a plugin. */
const isOurs = (key: string) => key === 'mac' || key === 'deviceID'

function attach({ request, ifname, title }: Wish): Step {
  return { action: 'attach', network: title, ifname, mac: request.mac }
}

function detach({ network = '', ifname }: Attachment): Step {
  return { action: 'detach', network, ifname, mac: undefined }
}

function namedTwice(wish: Wish, wanted: readonly Wish[]): string {
  const [first] = wanted.filter(({ ifname }) => ifname === wish.ifname)
  if (first === undefined || first.title === wish.title)
    return `network ${wish.title} is named twice: the first one counts`
  return `networks ${first.title} and ${wish.title} would have the same interface, ${wish.ifname}: the first one counts`
}

function onlyAtStart(title: string): string {
  return `network ${title} is named more than once: a second interface on it comes only with the start of the pod`
}

function problem(note: string): Problem {
  return { reason: 'FailedAddingInterface', note }
}
