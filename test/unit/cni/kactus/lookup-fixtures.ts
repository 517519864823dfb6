import type { KubeReader } from '../../../../cni/kactus/kube.ts'
import type { LookupSources } from '../../../../cni/kactus/lookup.ts'
import type { NetworkRules } from '../../../../cni/kactus/rules.ts'
import type { LookupAnswer, LookupQuestion } from '../../../../cni/networks/lookup-protocol.ts'
import type { Json, JsonObject } from '../../../../cni/spec/json.ts'

/** The agent and the API with what a test puts in; an answer that is an error is thrown. */
export class Sources implements LookupSources {
  readonly questions: LookupQuestion[] = []
  readonly paths: string[] = []
  readonly limits: number[] = []
  /** Requests that were open at once. */
  most = 0
  #open = 0
  readonly #agent: LookupAnswer | undefined
  readonly #api: Readonly<Record<string, Json | Error>>

  constructor(agent: LookupAnswer | undefined, api: Readonly<Record<string, Json | Error>> = {}) {
    this.#agent = agent
    this.#api = api
  }

  async agent(question: LookupQuestion): Promise<LookupAnswer | undefined> {
    this.questions.push(question)
    return this.#agent
  }

  async api(): Promise<KubeReader> {
    return { get: (path, maxBytes) => this.#get(path, maxBytes) }
  }

  async #get(path: string, maxBytes: number): Promise<Json | undefined> {
    this.paths.push(path)
    this.limits.push(maxBytes)
    this.#open++
    this.most = Math.max(this.most, this.#open)
    await new Promise(resolve => setImmediate(resolve))
    this.#open--
    const answer = Object.hasOwn(this.#api, path) ? this.#api[path] : undefined
    if (answer instanceof Error) throw answer
    return answer
  }
}

export function network(namespace: string, name: string, config: Json = '{"type":"aux"}'): JsonObject {
  return { metadata: { namespace, name }, spec: { config } }
}

export const greenInTeam = '/apis/kaloom.com/v1/namespaces/team/networks/green'
export const greenInDefault = '/apis/kaloom.com/v1/namespaces/default/networks/green'
export const podPath = '/api/v1/namespaces/team/pods/p1'
export const pod = { namespace: 'team', name: 'p1', uid: 'u1' }
export const asksGreen = { networks: '[{"name":"green"}]' }

export function podObject(annotations: JsonObject, uid = 'u1'): JsonObject {
  return { metadata: { uid, annotations } }
}

/** Rules that refuse no plugin but kactus. */
export function sharing(...shared: readonly string[]): NetworkRules {
  const log = { error: () => undefined, info: () => undefined, debug: () => undefined }
  return { multusReader: 'kactus', shared, plugins: { allowed: undefined, isKactus: () => false }, log }
}
