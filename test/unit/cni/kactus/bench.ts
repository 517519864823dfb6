import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { LogFacts } from '../../../../cni/host/log.ts'
import type { Call } from '../../../../cni/kactus/call.ts'
import type { LookupSources } from '../../../../cni/kactus/lookup.ts'
import { RecordStore } from '../../../../cni/kactus/store.ts'
import type { PodFacts } from '../../../../cni/networks/lookup-protocol.ts'
import type { ContainerRecord } from '../../../../cni/networks/record.ts'
import type { JsonObject } from '../../../../cni/spec/json.ts'
import type { CniCommand } from '../../../../cni/spec/plugin.ts'
import { FakeRunner, type PluginScript } from '../fake-runner.ts'
import { confOf, requestOf } from './fixtures.ts'

/** A command with everything around it in memory, the state folder aside. */
export class Bench {
  readonly folder: string
  readonly store: RecordStore
  /** What was said of damaged records. */
  readonly said: string[] = []
  readonly logged: { readonly message: string; readonly facts: LogFacts | undefined }[] = []
  /** What the agent knows of the pod; undefined = to ask it or the API is a mistake. */
  pod: PodFacts | undefined
  networks: readonly JsonObject[] = []
  runner = new FakeRunner()

  constructor(t: Test) {
    this.folder = t.testdir({})
    this.store = new RecordStore(this.folder, message => this.said.push(message))
  }

  /** Pod `team/p1` asks for networks by name; each is plugin `aux`, unless an object says otherwise. */
  asks(annotation: unknown, networks: readonly JsonObject[] = [network('green'), network('blue')]): void {
    this.pod = { uid: 'u1', annotations: { networks: JSON.stringify(annotation) } }
    this.networks = networks
  }

  /** From now on plugins do as the script says, and calls are counted anew. */
  plays(script?: PluginScript): FakeRunner {
    this.runner = new FakeRunner(script)
    return this.runner
  }

  call(
    command: CniCommand,
    more: {
      readonly conf?: Readonly<Record<string, unknown>>
      readonly request?: Parameters<typeof requestOf>[1]
      readonly startedMs?: number
    } = {},
  ): Call {
    const note = (message: string, facts?: LogFacts) => void this.logged.push({ message, facts })
    return {
      request: requestOf(command, more.request),
      conf: confOf({ cniDir: this.folder, ...more.conf }),
      store: this.store,
      runner: this.runner,
      lookup: this.#lookup(),
      log: { error: note, info: note, debug: note },
      canLookUp: async () => undefined,
      width: 4,
      startedMs: more.startedMs ?? Number.POSITIVE_INFINITY,
    }
  }

  record(): Promise<ContainerRecord | undefined> {
    return this.store.read('c1')
  }

  /** Interfaces and how far each has come. */
  async state(): Promise<readonly string[]> {
    return (await this.record())?.attachments.map(({ ifname, status }) => `${ifname} ${status}`) ?? []
  }

  /** Every file below the state folder. */
  files(): readonly string[] {
    return ['records', 'locks', 'damaged'].flatMap(name => {
      const path = join(this.folder, name)
      return existsSync(path) ? readdirSync(path).map(file => `${name}/${file}`) : []
    })
  }

  #lookup(): LookupSources {
    return {
      agent: async () => {
        if (this.pod === undefined) throw new Error('nobody was to be asked')
        return { pod: this.pod, networks: this.networks.map(object => ({ kind: 'Network', object })) }
      },
      api: async () => ({ get: async () => undefined }),
    }
  }
}

/** The object of a network in namespace `team`. */
export function network(name: string, config: JsonObject = { type: 'aux' }, annotations: JsonObject = {}): JsonObject {
  return { metadata: { namespace: 'team', name, annotations }, spec: { config: JSON.stringify(config) } }
}
