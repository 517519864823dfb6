import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { createNetmakerClient, type NetmakerClient } from '../../../../agent/netmaker/client.ts'
import { addHost, join } from '../../../fakes/netmaker/hosts.ts'
import { type FakeNetmaker, startFakeNetmaker } from '../../../fakes/netmaker/main.ts'
import { addNetwork } from '../../../fakes/netmaker/networks.ts'
import type { FakeHost, FakeNode } from '../../../fakes/netmaker/state.ts'
import { addUser } from '../../../fakes/netmaker/users.ts'

export const password = 'correct horse battery staple'
export const username = 'kaput-not'

/** A fake server with one user and the networks `lab` and `dual`; ends with the test. */
export async function startServer(t: Test): Promise<FakeNetmaker> {
  const fake = await startFakeNetmaker()
  t.teardown(() => fake.stop())
  addUser(fake.state, 'admin', 'another secret', true)
  addUser(fake.state, username, password)
  addNetwork(fake.state, 'lab', '10.101.0.0/16')
  addNetwork(fake.state, 'dual', '10.102.0.0/16', 'fd00:102::/64')
  return fake
}

/** A host that is in some of its networks. */
export function addMachine(
  { state }: FakeNetmaker,
  name: string,
  networks: readonly string[] = ['lab'],
): { readonly host: FakeHost; readonly nodes: readonly FakeNode[] } {
  const number = state.hosts.size + 1
  const endpointip = `192.0.${2 + (number >> 8)}.${number & 255}`
  const host = addHost(state, { id: randomUUID(), name, endpointip })
  return { host, nodes: networks.map(network => join(state, host, network)) }
}

export interface ClientFor {
  readonly url: string
  readonly given?: { readonly username?: string; readonly password?: string; readonly timeoutMs?: number }
  readonly onAnswer?: (method: string, code: string) => void
}

/** A client of that server; ends with the test. */
export function clientFor(t: Test, { url, given = {}, onAnswer }: ClientFor): NetmakerClient {
  const client = createNetmakerClient({
    baseUrl: url,
    timeoutMs: given.timeoutMs ?? 5_000,
    userAgent: 'nopal/test',
    username: given.username ?? username,
    password: async () => given.password ?? password,
    ...(onAnswer === undefined ? {} : { onAnswer }),
  })
  t.teardown(() => client.close())
  return client
}
