import type { StatusSection } from '../report/status.ts'
import type { KubeAnswer } from './client.ts'

/** Whether the Kubernetes API answers this process. */
export interface Contact {
  readonly heard: (answer: Pick<KubeAnswer, 'code'>) => void
  readonly section: StatusSection
}

/** One question may go astray; of two in a row that got no good answer the API is to blame. */
const mostAstray = 1

/** @param now milliseconds since 1970 */
export function createContact(now: () => number): Contact {
  let lastAnswer: string | null = null
  let failures = 0
  let failure: string | null = null
  const answers = () => (failures > mostAstray ? false : lastAnswer !== null || null)
  return {
    heard({ code }) {
      if (isAnswer(code)) {
        lastAnswer = new Date(now()).toISOString()
        failures = 0
        failure = null
        return
      }
      failures += 1
      failure = code
    },
    section: {
      json: () => ({ api: { answers: answers(), lastAnswer, failure } }),
      facts: () => [{ name: 'Kubernetes API', text: describe(answers(), lastAnswer, failure) }],
    },
  }
}

/** A refusal is one too; what stands before a server that is down says 5xx. */
function isAnswer(code: string): boolean {
  return /^[1-4]\d\d$/.test(code)
}

function describe(answers: boolean | null, lastAnswer: string | null, failure: string | null): string {
  if (answers === null) return 'not asked yet'
  if (answers) return `answers, last at ${lastAnswer}`
  return `does not answer (${failure}), ${lastAnswer === null ? 'and never did' : `last at ${lastAnswer}`}`
}
