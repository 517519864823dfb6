import type { Log } from '../host/log.ts'
import type { Attachment, ContainerRecord } from '../networks/record.ts'
import type { PluginRunner } from '../spec/plugin.ts'
import type { Workbench } from './attach.ts'
import type { Conf } from './config.ts'
import type { LookupSources } from './lookup.ts'
import { RecordWriter } from './record-writer.ts'
import type { Request } from './request.ts'
import type { RecordStore } from './store.ts'

/** One command with all it may use. */
export interface Call {
  readonly request: Request
  readonly conf: Conf
  readonly store: RecordStore
  readonly runner: PluginRunner
  readonly lookup: LookupSources
  readonly log: Log
  /** @throws CniError where a lookup would be impossible from the start */
  readonly canLookUp: () => Promise<void>
  /** How many delegates run side by side. */
  readonly width: number
}

/** A workbench whose progress is kept on disk. */
export interface RecordedWork extends Workbench {
  readonly writer: RecordWriter
}

/** Opens a container's record for work. */
export function workOn(call: Call, record: ContainerRecord): RecordedWork {
  const { runner, log, width, store } = call
  return { runner, log, width, writer: new RecordWriter(store, record) }
}

/** Runs with the container's lock. */
export async function locked<T>(call: Call, work: () => Promise<T>): Promise<T> {
  const lock = await call.store.lock(call.request.containerId)
  try {
    return await work()
  } finally {
    await lock.release()
  }
}

/** What a plugin of a killed run gets to come to its own end. */
const ORPHAN_GRACE_MS = 2000

/**
 * Before attachments from a record are touched: if their ADD was broken off, its plugins may be at work still.
 * The caller holds the lock.
 */
export async function quiesce(call: Call, containerId: string, attachments: readonly Attachment[]): Promise<void> {
  if (!attachments.some(({ status }) => status === 'adding')) return
  const { endOrphans } = await import('../host/orphans.ts')
  const killed = await endOrphans({ containerId, graceMs: ORPHAN_GRACE_MS })
  if (killed > 0) call.log.info('killed plugins that a dead run had left', { count: killed })
}
