/** What is wrong with the server, or unlike version 1.5.1; all may be changed while it runs. */
export interface FakeFaults {
  /** Milliseconds before each answer. */
  latencyMs: number
  /** The database cannot be written: writes and logins fail. */
  locked: boolean
  /** Tables that cannot be read. */
  unreadable: Set<'users_v1' | 'egresses' | 'hosts_v1'>
  /** `0.99` and `1.1` know tags as a list and no mode; a later one has fields of its own. */
  version: '0.90' | '0.99' | '1.1' | '1.5.1' | '1.8'
  /** Answers in place of the server's own: a proxy's page, a status. Undefined = the server itself. */
  instead: (request: { readonly method: string; readonly path: string }) => FakeAnswer | undefined
  /** Of a list that it would give: what it gives in its place. */
  filter: (list: 'hosts' | 'nodes' | 'rules', rows: readonly unknown[]) => readonly unknown[]
  /** Called after a write was done and before it is answered; what it resolves to `hang` is never answered. */
  afterWrite: (method: string) => Promise<'answer' | 'hang'>
}

export interface FakeAnswer {
  readonly status: number
  readonly type: string | null
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

export function noFaults(): FakeFaults {
  return {
    latencyMs: 0,
    locked: false,
    unreadable: new Set(),
    version: '1.5.1',
    instead: () => undefined,
    filter: (_, rows) => rows,
    afterWrite: async () => 'answer',
  }
}
