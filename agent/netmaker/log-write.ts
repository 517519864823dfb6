import type { Logger } from '../runtime/log.ts'
import type { RuleDelete, RuleWrite } from './actions.ts'
import { viewOfDelete, viewOfWrite } from './document.ts'

/** A line for each write, done or not. */
export function logWrite(log: Logger, write: RuleWrite | RuleDelete, error: unknown): void {
  const view = write.action === 'delete' ? viewOfDelete(write) : viewOfWrite(write)
  if (error === undefined) log.info({ ...view }, 'egress rule written')
  else log.warn({ ...view, err: error }, 'egress rule not written')
}
