import { createPrivateKey, createPublicKey, type KeyObject, randomUUID, sign, verify } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { unauthorized } from './fault.ts'
import { asObject, asText, isObject, type JsonObject, valueAt } from './json.ts'
import type { Store } from './store.ts'

/** Who asks. */
export interface User {
  readonly username: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

export const anonymous: User = { username: 'system:anonymous', groups: ['system:unauthenticated'] }

const issuer = 'https://kubernetes.default.svc'

/** What a token is made from. */
export interface TokenClaims {
  readonly namespace: string
  readonly account: JsonObject
  readonly audiences: readonly string[]
  readonly expirationSeconds: number
  /** The pod or node it is bound to, as the claims name it: `{pod: {name, uid}}`. */
  readonly bound: JsonObject
}

/** Makes and checks the tokens of service accounts: JSON web tokens, as the real server's are. */
export class Tokens {
  readonly #private: KeyObject
  readonly #public: KeyObject
  readonly #store: Store

  constructor(keyPem: string, store: Store) {
    this.#private = createPrivateKey(keyPem)
    this.#public = createPublicKey(keyPem)
    this.#store = store
  }

  issue(claims: TokenClaims, nowMs: number): string {
    const name = asText(valueAt(claims.account, 'metadata.name'))
    const issuedAt = Math.floor(nowMs / 1000)
    const payload = {
      aud: claims.audiences,
      exp: issuedAt + claims.expirationSeconds,
      iat: issuedAt,
      iss: issuer,
      jti: randomUUID(),
      'kubernetes.io': {
        namespace: claims.namespace,
        serviceaccount: { name, uid: valueAt(claims.account, 'metadata.uid') },
        ...claims.bound,
      },
      nbf: issuedAt,
      sub: `system:serviceaccount:${claims.namespace}:${name}`,
    }
    const signed = `${encode({ alg: 'ES256', kid: 'embedded' })}.${encode(payload)}`
    const signature = sign('sha256', Buffer.from(signed), { key: this.#private, dsaEncoding: 'ieee-p1363' })
    return `${signed}.${signature.toString('base64url')}`
  }

  /** The account of a token; throws 401 for one that is not ours, is too old, or whose account is gone. */
  check(token: string, nowMs: number): User {
    const claims = this.#verified(token)
    const expires = claims.exp
    const audiences = claims.aud
    if (typeof expires !== 'number' || expires * 1000 < nowMs) throw unauthorized()
    if (!Array.isArray(audiences) || !audiences.includes(issuer)) throw unauthorized()
    const kubernetes = asObject(claims['kubernetes.io'])
    const namespace = asText(kubernetes.namespace)
    const name = asText(valueAt(kubernetes, 'serviceaccount.name'))
    const uid = asText(valueAt(kubernetes, 'serviceaccount.uid'))
    const account = this.#store.get('/serviceaccounts', `${namespace}/${name}`)
    if (account === undefined || valueAt(account, 'metadata.uid') !== uid) throw unauthorized()
    return {
      username: `system:serviceaccount:${namespace}:${name}`,
      uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      extra: extraOf(claims, kubernetes),
    }
  }

  #verified(token: string): JsonObject {
    const [header = '', payload = '', signature = '', ...more] = token.split('.')
    const data = Buffer.from(`${header}.${payload}`)
    const key = { key: this.#public, dsaEncoding: 'ieee-p1363' } as const
    if (more.length > 0 || !verify('sha256', data, key, Buffer.from(signature, 'base64url'))) throw unauthorized()
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    if (!isObject(claims)) throw unauthorized()
    return claims
  }
}

/** Who sent the request: a bearer token wins over a client certificate; neither is the anonymous user. */
export function authenticate(request: IncomingMessage, tokens: Tokens, nowMs: number): User {
  const header = request.headers.authorization
  if (header !== undefined) {
    const [, token] = /^Bearer +(\S+)$/i.exec(header) ?? []
    if (token === undefined) return certificateUser(request)
    return tokens.check(token, nowMs)
  }
  return certificateUser(request)
}

function certificateUser(request: IncomingMessage): User {
  const socket = request.socket as TLSSocket
  const certificate = socket.getPeerCertificate()
  // Without a certificate this is an empty object.
  if (Object.keys(certificate).length === 0) return anonymous
  if (!socket.authorized) throw unauthorized()
  const { CN, O } = certificate.subject as { CN?: string; O?: string | string[] }
  const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase()
  return {
    username: CN ?? '',
    groups: [...[O ?? []].flat(), 'system:authenticated'],
    extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] },
  }
}

function extraOf(claims: JsonObject, kubernetes: JsonObject): Record<string, string[]> {
  const prefix = 'authentication.kubernetes.io/'
  const bound = { 'pod-name': 'pod.name', 'pod-uid': 'pod.uid', 'node-name': 'node.name', 'node-uid': 'node.uid' }
  const entries = Object.entries(bound).map(([key, path]) => [prefix + key, asText(valueAt(kubernetes, path))] as const)
  return {
    [`${prefix}credential-id`]: [`JTI=${asText(claims.jti)}`],
    ...Object.fromEntries(entries.filter(([, value]) => value !== '').map(([key, value]) => [key, [value]])),
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
