import type { JsonObject } from './json.ts'

/** What a Status names: `nodes`, or `networks` of group `kaloom.com`. */
export interface Subject {
  readonly group: string
  readonly plural: string
  readonly kind: string
}

/** One field that is wrong. */
export interface Cause {
  readonly reason: 'FieldValueRequired' | 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueNotSupported'
  readonly message: string
  readonly field: string
}

interface StatusParts {
  readonly code: number
  readonly reason?: string
  readonly message: string
  readonly details?: JsonObject
}

/** An answer that is no success; `body` is the Status object that the real server would send. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: number
  readonly body: JsonObject

  constructor(parts: StatusParts) {
    super(parts.message)
    this.code = parts.code
    this.body = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: parts.message,
      ...(parts.reason === undefined ? {} : { reason: parts.reason }),
      ...(parts.details === undefined ? {} : { details: parts.details }),
      code: parts.code,
    }
  }
}

/** `nodes` or `networks.kaloom.com`, as messages say it. */
export function qualified(subject: Subject): string {
  return subject.group === '' ? subject.plural : `${subject.plural}.${subject.group}`
}

function detailsOf(subject: Subject, name: string, kind = subject.plural): JsonObject {
  return {
    ...(name === '' ? {} : { name }),
    ...(subject.group === '' ? {} : { group: subject.group }),
    kind,
  }
}

export function notFound(subject: Subject, name: string): Fault {
  const message = `${qualified(subject)} "${name}" not found`
  return new Fault({ code: 404, reason: 'NotFound', message, details: detailsOf(subject, name) })
}

export function noSuchResource(): Fault {
  const message = 'the server could not find the requested resource'
  return new Fault({ code: 404, reason: 'NotFound', message, details: {} })
}

export function alreadyExists(subject: Subject, name: string): Fault {
  const message = `${qualified(subject)} "${name}" already exists`
  return new Fault({ code: 409, reason: 'AlreadyExists', message, details: detailsOf(subject, name) })
}

export function modified(subject: Subject, name: string): Fault {
  const why = 'the object has been modified; please apply your changes to the latest version and try again'
  const message = `Operation cannot be fulfilled on ${qualified(subject)} "${name}": ${why}`
  return new Fault({ code: 409, reason: 'Conflict', message, details: detailsOf(subject, name) })
}

/** A precondition of a delete does not hold. */
export function preconditionFailed(subject: Subject, name: string, why: string): Fault {
  const kind = subject.group === '' ? subject.kind : `${subject.kind}.${subject.group}`
  const message = `Operation cannot be fulfilled on ${kind} "${name}": ${why}`
  return new Fault({ code: 409, reason: 'Conflict', message, details: detailsOf(subject, name, subject.kind) })
}

export function invalid(subject: Subject, name: string, causes: readonly Cause[]): Fault {
  const kind = subject.group === '' ? subject.kind : `${subject.kind}.${subject.group}`
  const texts = causes.map(cause => `${cause.field}: ${cause.message}`)
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  const details = { ...detailsOf(subject, name, subject.kind), causes: causes.map(cause => ({ ...cause })) }
  return new Fault({ code: 422, reason: 'Invalid', message: `${kind} "${name}" is invalid: ${list}`, details })
}

/** The patch cannot be applied: a `test` failed, or a path is not there. */
export function patchRejected(): Fault {
  const message = 'the server rejected our request due to an error in our request'
  return new Fault({ code: 422, reason: 'Invalid', message, details: {} })
}

export function badRequest(message: string): Fault {
  return new Fault({ code: 400, reason: 'BadRequest', message })
}

export function unauthorized(): Fault {
  return new Fault({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' })
}

export function forbidden(message: string, details: JsonObject): Fault {
  return new Fault({ code: 403, reason: 'Forbidden', message, details })
}

export function unsupportedBody(accepted: readonly string[]): Fault {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`
  return new Fault({ code: 415, reason: 'UnsupportedMediaType', message })
}

export function unsupportedPatch(): Fault {
  return new Fault({
    code: 415,
    reason: 'UnsupportedMediaType',
    message: '415: Unsupported Media Type',
    details: {},
  })
}

export function methodNotAllowed(): Fault {
  const message = 'the server does not allow this method on the requested resource'
  return new Fault({ code: 405, reason: 'MethodNotAllowed', message, details: {} })
}

export function notAcceptable(): Fault {
  const offered = ['application/json', 'application/json;stream=watch'].join(', ')
  const message = `406: Not Acceptable\n\nAvailable representations: ${offered}`
  return new Fault({ code: 406, reason: 'NotAcceptable', message, details: {} })
}

export function tooOld(asked: number, oldest: number): Fault {
  return new Fault({ code: 410, reason: 'Expired', message: `too old resource version: ${asked} (${oldest})` })
}

export function tooNew(asked: number, current: number): Fault {
  const details = {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  }
  const message = `Timeout: Too large resource version: ${asked}, current: ${current}`
  return new Fault({ code: 504, reason: 'Timeout', message, details })
}
