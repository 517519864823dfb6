import type { StatusSection } from '../report/status.ts'
import type { StandingState } from './standing-duty.ts'

/** What is told of the standing sandbox. */
export function createStandingStatus(current: () => StandingState | undefined): StatusSection {
  return {
    json: () => ({ standingSandbox: current()?.addresses ?? [] }),
    facts: () => [{ name: 'standing sandbox', text: current()?.message ?? 'not made yet' }],
  }
}
