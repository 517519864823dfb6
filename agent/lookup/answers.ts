import {
  answerFrom,
  type LookupAnswer,
  type LookupCache,
  type LookupQuestion,
  MAX_ANSWER_BYTES,
  parseQuestion,
  printAnswer,
} from '../../cni/networks/lookup-protocol.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ObjectCache } from './cache.ts'

/** How a question ended: `known` and `unknown` are answers, `bad` was no question. */
export type LookupOutcome = 'known' | 'unknown' | 'bad'

export interface Answer {
  readonly text: string
  readonly outcome: LookupOutcome
}

/**
 * kubelet may call kactus before the pod has come to us: both learn of it by a watch. kactus gives up after 250 ms, and
 * what is then still unknown it asks the API.
 */
export const podWaitMs = 150

/** Answers one line of kactus. Never throws. */
export async function answerLine(line: string, cache: ObjectCache, clock: Clock): Promise<Answer> {
  const question = parseQuestion(line)
  if (question === undefined) return { text: printAnswer(undefined), outcome: 'bad' }
  await podSeen(question, cache, clock)
  const answer = answerFrom(new OneView(cache), question)
  return answer === undefined ? unknown : printed(answer)
}

const unknown: Answer = { text: printAnswer(undefined), outcome: 'unknown' }

function printed(answer: LookupAnswer): Answer {
  const text = printAnswer(answer)
  return Buffer.byteLength(text) > MAX_ANSWER_BYTES ? unknown : { text, outcome: 'known' }
}

/** Resolves when the pod is known, or after the wait. */
function podSeen({ namespace, pod }: LookupQuestion, cache: ObjectCache, clock: Clock): Promise<void> {
  return new Promise(resolve => {
    if (cache.pod(namespace, pod) !== undefined) return resolve()
    const finish = () => {
      cancel()
      forget()
      resolve()
    }
    const forget = cache.onPods(() => {
      if (cache.pod(namespace, pod) !== undefined) finish()
    })
    const cancel = clock.after(podWaitMs, finish)
  })
}

/** An annotation can name one large network a thousand times. */
const mostCharacters = 2 ** 20

/**
 * The cache as one question may see it. Networks are asked for in the order in which they are looked for. Where it is
 * not certain that the nearer one does not exist, the one behind it is not told: kactus would take it for the one meant.
 */
class OneView implements LookupCache {
  readonly #cache: ObjectCache
  readonly #uncertain = new Set<string>()
  #told = 0

  constructor(cache: ObjectCache) {
    this.#cache = cache
  }

  pod(namespace: string, name: string) {
    return this.#cache.pod(namespace, name)
  }

  network: LookupCache['network'] = (kind, namespace, name) => {
    const key = `${kind} ${name}`
    if (this.#uncertain.has(key)) return undefined
    const sight = this.#cache.network(kind, namespace, name)
    if (sight.state === 'known' && this.#told + sight.size <= mostCharacters) {
      this.#told += sight.size
      return sight.value
    }
    if (sight.state !== 'absent') this.#uncertain.add(key)
    return undefined
  }
}
