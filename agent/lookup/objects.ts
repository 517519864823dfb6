import * as v from 'valibot'
import { answerFrom, type LookupQuestion, type PodFacts, podFactsFrom } from '../../cni/networks/lookup-protocol.ts'
import { RESOURCE_ANNOTATION } from '../../cni/networks/network-object.ts'
import type { Json, JsonObject } from '../../cni/spec/json.ts'

const podShape = v.object({ metadata: v.record(v.string(), v.unknown()) })

const text = v.nullish(v.string())

const networkShape = v.object({
  metadata: v.object({
    name: v.string(),
    namespace: v.string(),
    annotations: v.nullish(v.record(v.string(), v.string())),
  }),
  spec: v.nullish(v.object({ plugin: text, config: text })),
})

/** Of a pod, what an answer says of it and nothing else; undefined = it is no pod. */
export function podFrom(body: unknown): PodFacts | undefined {
  const result = v.safeParse(podShape, body)
  if (!result.success) return undefined
  // What was parsed from JSON is JSON.
  const facts = podFactsFrom(result.output.metadata as Json as JsonObject)
  return facts && answerFrom({ pod: () => facts, network: () => undefined }, anyQuestion)?.pod
}

/** Any question: what is said of the pod is the same for all. */
const anyQuestion: LookupQuestion = {
  namespace: 'default',
  pod: 'any',
  network: { kind: 'Network', name: 'any', namespace: undefined },
}

/** Of a Network or NetworkAttachmentDefinition, what kactus reads; undefined = kactus shall see for itself what is wrong. */
export function networkFrom(body: unknown): JsonObject | undefined {
  const result = v.safeParse(networkShape, body)
  if (!result.success) return undefined
  const { metadata, spec } = result.output
  const { name, namespace } = metadata
  const resource = metadata.annotations?.[RESOURCE_ANNOTATION]
  const annotations = resource === undefined ? {} : { annotations: { [RESOURCE_ANNOTATION]: resource } }
  const { plugin, config } = spec ?? {}
  return {
    metadata: { name, namespace, ...annotations },
    spec: { ...(plugin ? { plugin } : {}), ...(config ? { config } : {}) },
  }
}
