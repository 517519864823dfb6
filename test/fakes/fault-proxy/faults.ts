/** Which requests a fault meets; all that is told must hold. */
export interface FaultScope {
  readonly method?: string
  /** Source of a regular expression over path and query. */
  readonly path?: string
  readonly watch?: boolean
  /** How many requests it meets before it is used up; no end unless told. */
  readonly times?: number
}

/** What can go wrong between a client and its API server. */
export type FaultKind =
  /** Answers late. */
  | { readonly does: 'slow'; readonly ms: number }
  /** Lets it through once the faults are replaced. */
  | { readonly does: 'hold' }
  /** Answers with an error of its own, as the real server words it; 410 of a watch is an event in its stream. */
  | { readonly does: 'answer'; readonly code: AnswerCode; readonly retryAfterSeconds?: number }
  /** Sends half the body and breaks the connection. */
  | { readonly does: 'halfBody' }
  /** Breaks the connection before any answer. */
  | { readonly does: 'reset' }
  /** Takes the request and never answers. */
  | { readonly does: 'hang' }
  /** A watch stays open and says nothing more, nor ends; those already open as well. */
  | { readonly does: 'silence' }
  /** Nobody listens on the port; meets every client, whatever the scope says. */
  | { readonly does: 'refuse' }
  /** Shows the certificate of a stranger; meets every client, whatever the scope says. */
  | { readonly does: 'strange' }

export type AnswerCode = 401 | 403 | 404 | 409 | 410 | 422 | 429 | 500 | 503

export type Fault = FaultScope & FaultKind

/** What a fault is matched against. */
export interface Asked {
  readonly method: string
  readonly url: string
}

/** True if the request is one that the fault means, its count aside. */
export function meets(fault: Fault, { method, url }: Asked): boolean {
  if (fault.method !== undefined && fault.method !== method) return false
  if (fault.path !== undefined && !new RegExp(fault.path).test(url)) return false
  return fault.watch === undefined || fault.watch === isWatch({ method, url })
}

/** True if the request opens a watch. */
export function isWatch({ method, url }: Asked): boolean {
  const watch = new URLSearchParams(url.split('?')[1]).get('watch')
  return method === 'GET' && (watch === 'true' || watch === '1')
}

/** What meets a client before it has asked anything. */
const ofAll: ReadonlySet<Fault['does']> = new Set(['refuse', 'strange'])

/** The faults that are set, with how often each was met. */
export class FaultList {
  #faults: readonly Fault[] = []
  #hits: number[] = []

  set(faults: readonly Fault[]): void {
    this.#faults = faults
    this.#hits = faults.map(() => 0)
  }

  /** How many requests each fault has met, in the order they were set. */
  get hits(): readonly number[] {
    return this.#hits
  }

  get refusing(): boolean {
    return this.#faults.some(fault => fault.does === 'refuse')
  }

  get strange(): boolean {
    return this.#faults.some(fault => fault.does === 'strange')
  }

  /** The first fault that means this request and is not used up; it is counted. */
  take(asked: Asked): Fault | undefined {
    const index = this.#faults.findIndex(
      (fault, at) => !ofAll.has(fault.does) && meets(fault, asked) && (this.#hits[at] ?? 0) < (fault.times ?? Infinity),
    )
    if (index < 0) return undefined
    this.#hits[index] = (this.#hits[index] ?? 0) + 1
    return this.#faults[index]
  }
}
