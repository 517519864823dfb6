import type { KubeEvent, ObjectRef } from '../kube/events.ts'
import type { StatusSection } from './status.ts'

/** An Event that this process has told, whether the API server took it or not. */
interface ToldEvent {
  /** Of the newest one of its kind. */
  readonly time: string
  readonly type: KubeEvent['type']
  readonly reason: string
  /** `Node n1`, `Pod team/app1`. */
  readonly about: string
  readonly note: string
  /** How often, as far as it is remembered. */
  readonly count: number
}

/** The newest Events, for whoever looks at the status. */
export interface Journal {
  readonly add: (regarding: ObjectRef, event: KubeEvent) => void
  readonly section: StatusSection
}

const mostRemembered = 50
const longestNote = 500

/** @param now milliseconds since 1970 */
export function createJournal(now: () => number): Journal {
  let told: readonly ToldEvent[] = []
  return {
    add({ kind, namespace, name }, { type, reason, note: whole }) {
      const about = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
      const note = whole.slice(0, longestNote)
      const isSame = (one: ToldEvent) => one.about === about && one.reason === reason && one.note === note
      const count = (told.find(isSame)?.count ?? 0) + 1
      const newest = { time: new Date(now()).toISOString(), type, reason, about, note, count }
      told = [newest, ...told.filter(one => !isSame(one))].slice(0, mostRemembered)
    },
    section: { json: () => ({ events: told }), facts: () => [] },
  }
}
