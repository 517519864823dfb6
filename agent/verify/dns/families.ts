import { setTimeout as delay } from 'node:timers/promises'
import type { Reason } from '../../verdict/reasons.ts'
import { CheckFault } from '../check.ts'
import type { DnsQuestion } from './message.ts'
import { type Sampled, toFault } from './samples.ts'

/** What asking for both families came to. */
export interface FamiliesAnswer {
  /** The families the answer is about: `A`, `A,AAAA`. */
  readonly types: string
  readonly result: 'pass' | 'warn' | 'fail'
  readonly reason?: Reason
  readonly message: string
}

export type Family = 'A' | 'AAAA'
type Outcome = Sampled<string> | CheckFault

const families = ['A', 'AAAA'] as const
/** Where both families fail in different ways: broken before silent before empty. */
const gravestFirst = ['BadReply', 'Truncated', 'CNAMELoop', 'Refused', 'ServFail', 'NoAnswer', 'NXDomain', 'NoData']

/**
 * Asks for both families side by side. One with addresses is enough to pass; which of them a node needs is for the TCP
 * check to say. But many resolvers wait for both answers, so a family that errs or is swallowed is worth a warning of its own.
 * @param graceMs how long the second family may take once the first has addresses
 */
export async function askFamilies(
  resolve: (type: Extract<DnsQuestion['type'], Family>) => Promise<Sampled<string>>,
  graceMs: number,
): Promise<readonly FamiliesAnswer[]> {
  const asked = families.map(type => resolve(type).catch(toFault))
  const grace = Promise.any(asked.map(orReject)).then(
    () => delay(graceMs, silent(graceMs), { ref: false }),
    () => new Promise<never>(() => undefined),
  )
  return judge(await Promise.all(asked.map(each => Promise.race([each, grace]))))
}

function judge(outcomes: readonly Outcome[]): readonly FamiliesAnswer[] {
  const found = families.flatMap((type, index) => {
    const outcome = outcomes[index]
    return outcome === undefined || outcome instanceof CheckFault ? [] : [{ type, ...outcome }]
  })
  const faults = families.flatMap((type, index) => {
    const outcome = outcomes[index]
    return outcome instanceof CheckFault ? [{ type, fault: outcome }] : []
  })
  const message = found.map(each => each.value).join('; ')
  const types = found.map(each => each.type).join(',')
  if (found.length === 0) return [fail(faults)]
  const doubt = found.find(each => each.doubt !== undefined)?.doubt
  const well: FamiliesAnswer =
    doubt === undefined
      ? { types, result: 'pass', message }
      : { types, result: 'warn', reason: doubt.code, message: `one sample of three failed: ${doubt.message}` }
  const broken = faults.filter(each => each.fault.code !== 'NoData')
  return [well, ...broken.map(({ type, fault }) => toWarning(type, fault))]
}

function toWarning(types: Family, { code, message }: CheckFault): FamiliesAnswer {
  return { types, result: 'warn', reason: code, message: `the other family is well, but ${message}` }
}

function fail(faults: readonly { readonly type: Family; readonly fault: CheckFault }[]): FamiliesAnswer {
  const rank = ({ fault }: { readonly fault: CheckFault }) => gravestFirst.indexOf(fault.code)
  const [worst] = faults.toSorted((one, other) => rank(one) - rank(other))
  if (worst === undefined) return { types: 'A,AAAA', result: 'fail', reason: 'NoAnswer', message: 'no answer' }
  const { code, message } = worst.fault
  const types = faults.filter(each => each.fault.code === code).map(each => each.type)
  return { types: types.join(','), result: 'fail', reason: code, message }
}

async function orReject(asked: Promise<Outcome>): Promise<Outcome> {
  const outcome = await asked
  if (outcome instanceof CheckFault) throw outcome
  return outcome
}

function silent(graceMs: number): CheckFault {
  return new CheckFault('NoAnswer', `the other family has no answer within ${graceMs} ms of it`)
}
