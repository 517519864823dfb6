import type { Pki } from './pki.ts'

/** What the two kinds of server are started from. */
export interface StartContext {
  readonly folder: string
  readonly pki: Pki
  readonly host: string
  readonly port: number | undefined
  readonly netns: string | undefined
  readonly serviceCidr: string
  readonly serviceAddress: string
  /** Where the endpoint of default/kubernetes points. */
  readonly advertised: string
  readonly flags: readonly string[]
}

/** A started server before anything is seeded. */
export interface StartedServer {
  readonly url: string
  readonly auditFile: string
  readonly socketPath: string | undefined
  stop(): Promise<unknown>
}
