import { KubeError, type KubeErrorCode } from './api.ts'

const byStatus: Readonly<Record<number, KubeErrorCode>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  408: 'TimedOut',
  409: 'Conflict',
  410: 'Gone',
  429: 'Throttled',
}

/** What a status other than 2xx means. A redirect is never followed: the token is for this server alone. */
export function codeOfStatus(status: number): KubeErrorCode {
  const known = byStatus[status]
  if (known !== undefined) return known
  if (status >= 500) return 'ServerError'
  return status >= 400 ? 'Invalid' : 'BadReply'
}

const timeouts = new Set(['ETIMEDOUT', 'ESOCKETTIMEDOUT'])

/** OpenSSL's verdicts on a certificate have no common prefix. */
const certificateVerdicts =
  /^(CERT_|CRL_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$|HOSTNAME_MISMATCH$|EPROTO$)/

/** What an error of the connection means, by the code that the system or OpenSSL gave it. */
export function toConnectionError(error: unknown, what: string): KubeError {
  if (error instanceof KubeError) return error
  const code = codeOf(error)
  if (timeouts.has(code)) return new KubeError('TimedOut', `${what}: no answer (${code})`, { cause: error })
  if (certificateVerdicts.test(code))
    return new KubeError('TLSFailed', `${what}: no safe connection (${code})`, { cause: error })
  return new KubeError('Unreachable', `${what}: no connection (${code})`, { cause: error })
}

/** The code of a system error; of several tries at once (one per address), that of the first. */
export function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code
  return 'unknown'
}

/** Milliseconds of a Retry-After header in seconds; its date form is not used by API servers. */
export function parseRetryAfter(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined
}

const longestMessage = 300

/** The server's own words in a Status object, cut short; undefined where the body is something else. */
export function messageOfStatus(body: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body)
    if (typeof parsed !== 'object' || parsed === null || !('message' in parsed)) return undefined
    return typeof parsed.message === 'string' ? parsed.message.slice(0, longestMessage) : undefined
  } catch {
    return undefined
  }
}
