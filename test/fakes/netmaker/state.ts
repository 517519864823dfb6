import { randomUUID } from 'node:crypto'
import type { FakeFaults } from './faults.ts'

export type Json = Record<string, unknown>

/** A user of the fake, as the server shows it, and what it does not show. */
export interface FakeUser {
  readonly shown: Json
  password: string
  disabled: boolean
  mfa: boolean
}

/** A token that was given out. */
export interface FakeToken {
  /** Name of the user, or id of the host. */
  readonly owner: string
  readonly kind: 'user' | 'access' | 'host' | 'dead'
  revoked: boolean
}

export interface FakeHost extends Json {
  readonly id: string
  name: string
  nodes: string[] | null
  endpointip: string
  endpointipv6: string
  listenport: number
}

export interface FakeNode extends Json {
  readonly id: string
  readonly hostid: string
  readonly network: string
  connected: boolean
  pendingdelete: boolean
  status: string
}

export interface FakeRule extends Json {
  readonly id: string
  readonly network: string
  name: string
  description: string
  nodes: Record<string, number>
  range: string
  nat: boolean
  status: boolean
}

export interface FakeAcl extends Json {
  readonly id: string
  name: string
  enabled: boolean
  network_id: string
  dst_type: { readonly id: string; readonly value: string }[]
  src_type: { readonly id: string; readonly value: string }[]
}

/** What the server keeps in its database. */
export class FakeState {
  readonly users = new Map<string, FakeUser>()
  readonly tokens = new Map<string, FakeToken>()
  readonly accessTokens: Json[] = []
  readonly networks = new Map<string, Json>()
  readonly hosts = new Map<string, FakeHost>()
  readonly hostPasswords = new Map<string, string>()
  readonly nodes = new Map<string, FakeNode>()
  /** External clients: several nodes of one id. */
  readonly clients: Json[] = []
  /** Oldest first. */
  readonly rules = new Map<string, FakeRule>()
  readonly acls = new Map<string, FakeAcl>()
  readonly keys: Json[] = []
  readonly faults: FakeFaults
  tokenMinutes = 720
  basicAuth = true

  constructor(faults: FakeFaults) {
    this.faults = faults
  }

  giveToken(owner: string, kind: FakeToken['kind']): string {
    const token = `token-${randomUUID()}`
    this.tokens.set(token, { owner, kind, revoked: false })
    return token
  }

  rulesOf(network: string): readonly FakeRule[] {
    return [...this.rules.values()].filter(rule => rule.network === network)
  }

  deleteRule(id: string): boolean {
    for (const [key, acl] of this.acls) {
      const named = acl.dst_type.filter(({ value }) => value === id)
      if (named.length > 0 && named.length === acl.dst_type.length) this.acls.delete(key)
    }
    return this.rules.delete(id)
  }
}

/** Now, as Go writes it. */
export function timeNow(): string {
  return new Date().toISOString().replace('Z', '123456Z')
}
