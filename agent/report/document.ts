import * as v from 'valibot'
import { verdictSchema } from '../verdict/verdict.ts'

const text = v.string()
const maybeText = v.nullable(text)
const texts = v.array(text)
const count = v.number()

/** A part that this process does not have, or that is not as it should be, is null: all others are shown without it. */
const part = <S extends v.GenericSchema>(schema: S) => v.fallback(v.optional(v.nullable(schema), null), null)

const link = v.object({
  node: maybeText,
  publicKey: text,
  class: text,
  handshakeAge: v.nullable(count),
  bad: v.boolean(),
  endpoint: v.optional(maybeText, null),
  why: v.optional(text, ''),
})

const event = v.object({ time: text, type: text, reason: text, about: text, note: text, count })

const podAttachments = v.object({
  pod: text,
  networks: v.array(
    v.object({ name: text, interface: v.optional(text), ips: v.optional(texts), mac: v.optional(text) }),
  ),
  problems: texts,
})

const rule = v.object({ network: text, node: maybeText, range: text })

/** What the page and `nopal status` show of `/status.json`: an agent's, or a leader's. */
const statusShape = v.object({
  node: text,
  version: text,
  startTime: text,
  time: text,
  facts: v.array(v.object({ name: text, text })),
  missing: texts,
  problems: texts,
  api: part(v.object({ answers: v.nullable(v.boolean()), lastAnswer: maybeText, failure: maybeText })),
  events: part(v.array(event)),
  verdict: part(verdictSchema),
  verdictTime: part(text),
  gate: part(v.object({ tainted: v.boolean() })),
  wireguard: part(
    v.object({ devices: v.array(v.object({ name: text, readable: v.boolean(), links: v.array(link) })) }),
  ),
  attachments: part(v.object({ attached: count, missing: count, pods: v.array(podAttachments) })),
  leader: part(v.picklist(['unknown', 'standby', 'leading'])),
  holder: part(text),
  fleet: part(
    v.array(
      v.object({
        name: text,
        state: v.picklist(['verified', 'unverified', 'verifying', 'failed']),
        reason: text,
        message: v.optional(text, ''),
      }),
    ),
  ),
  remedy: part(v.object({ on: v.boolean(), workers: count, held: maybeText })),
  egressRules: part(
    v.object({
      time: text,
      networks: v.array(v.object({ network: text, wanted: count, present: count, held: count, noEffect: count })),
      held: v.array(v.object({ ...rule.entries, reason: text })),
      unmatched: v.array(v.object({ node: text, reason: text })),
      noEffect: v.array(v.object({ ...rule.entries, missingAt: count, cause: text })),
    }),
  ),
  egressError: part(text),
  pool: part(
    v.object({
      pool: text,
      current: texts,
      desired: texts,
      held: v.array(v.object({ action: text, block: text, reason: text })),
      problems: texts,
    }),
  ),
})

/** A status, as far as it is shown to people. */
export type StatusView = v.InferOutput<typeof statusShape>

/**
 * Reads a status; a newer process may say more than is shown.
 * @throws v.ValiError where it is none
 */
export function readStatus(document: unknown): StatusView {
  return v.parse(statusShape, document)
}
