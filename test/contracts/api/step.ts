import type { Test } from 'tap'
import { sendRequest } from '../../cluster/api-client.ts'
import type { ApiAnswer, ApiRequest, ApiServer, ApiTarget } from '../../cluster/api-server.ts'

/** One request and what must come back. */
export interface Step {
  readonly send: ApiRequest | ((earlier: readonly ApiAnswer[]) => ApiRequest)
  readonly code: number
  /** Must be found in the body; a text in it may be part of the text found. */
  readonly body?: unknown
  /** Dotted paths that the body must not have. */
  readonly absent?: readonly string[]
  /** Anything a pattern cannot say. */
  readonly also?: (t: Test, body: unknown, earlier: readonly ApiAnswer[]) => void
  /** Sent by this account (`namespace/name`) instead of the administrator. */
  readonly as?: string
  /** Sent without a certificate; a token may be among the headers. */
  readonly anonymous?: boolean
}

/** A row of the suite: steps in order, about objects whose names begin with `id`, which no other row uses. */
export interface ContractCase {
  readonly name: string
  steps(id: string): readonly Step[]
}

/** Runs the steps; each sees the answers of those before it. */
export async function runSteps(t: Test, server: ApiServer, steps: readonly Step[]): Promise<void> {
  const earlier: ApiAnswer[] = []
  for (const step of steps) {
    const request = typeof step.send === 'function' ? step.send(earlier) : step.send
    const answer = await sendRequest(await targetOf(server, step), request)
    const title = `${request.method} ${request.path}`
    t.equal(answer.code, step.code, `${title}: status`) || t.comment(JSON.stringify(answer.body))
    if (step.body !== undefined) t.match(answer.body, step.body, `${title}: body`)
    for (const path of step.absent ?? []) t.equal(valueAt(answer.body, path), undefined, `${title}: no ${path}`)
    step.also?.(t, answer.body, earlier)
    earlier.push(answer)
  }
}

async function targetOf(server: ApiServer, step: Step): Promise<ApiTarget> {
  const { url, socketPath, ca } = server.admin
  if (step.anonymous === true) return { url, socketPath, ca }
  const [namespace, name] = step.as?.split('/') ?? []
  return namespace === undefined || name === undefined ? server.admin : server.targetFor(namespace, name)
}

/** The value at a dotted path; undefined where there is none. */
export function valueAt(body: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), body)
}

/** A text at a dotted path of an answer. */
export function textAt(answer: ApiAnswer | undefined, path: string): string {
  return String(valueAt(answer?.body, path))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
