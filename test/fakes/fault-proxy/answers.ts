import type { AnswerCode } from './faults.ts'

/** An answer that the proxy gives in the server's place. */
export interface ErrorAnswer {
  readonly code: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

const reasons: Readonly<Record<AnswerCode, readonly [reason: string, message: string]>> = {
  401: ['Unauthorized', 'Unauthorized'],
  403: ['Forbidden', 'the request is forbidden: User "test" is not allowed to do that'],
  404: ['NotFound', 'the server could not find the requested resource'],
  409: ['Conflict', 'the object has been modified; please apply your changes to the latest version and try again'],
  410: ['Expired', 'too old resource version: 1 (2)'],
  422: ['Invalid', 'the server rejected our request due to an error in our request'],
  429: ['TooManyRequests', 'Too many requests, please try again later.'],
  500: ['InternalError', 'Internal error occurred: fault of the test'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
}

/** Words an error as the real server does. */
export function errorAnswer(code: AnswerCode, retryAfterSeconds: number | undefined): ErrorAnswer {
  const retry = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  if (code === 429) {
    // The real server's flow control answers in plain text.
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '1', ...retry }
    return { code, headers, text: `${reasons[code][1]}\n` }
  }
  const headers = { 'content-type': 'application/json', ...retry }
  return { code, headers, text: `${JSON.stringify(statusOf(code))}\n` }
}

/** The line with which a watch learns that its version is forgotten. */
export function expiredLine(): string {
  return `${JSON.stringify({ type: 'ERROR', object: statusOf(410) })}\n`
}

function statusOf(code: AnswerCode): object {
  const [reason, message] = reasons[code]
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
}
