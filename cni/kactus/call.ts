import type { Log } from '../host/log.ts'
import { KactusCode } from '../networks/codes.ts'
import type { ContainerRecord } from '../networks/record.ts'
import { CniError } from '../spec/errors.ts'
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
  /** When this process began, in milliseconds since 1970: what it was told is older. */
  readonly startedMs: number
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

/** Runs with the container's lock, and without any GC beside it. */
export async function locked<T>(call: Call, work: () => Promise<T>): Promise<T> {
  return preparedThen(call, begin => begin().then(work))
}

/**
 * Runs with the container's lock. What comes before the work calls `begin` may take its time: no GC waits for it.
 */
export async function preparedThen<T>(call: Call, work: (begin: () => Promise<void>) => Promise<T>): Promise<T> {
  const lock = await call.store.locks.lock(call.request.containerId)
  try {
    return await work(() => lock.begin())
  } finally {
    lock.release()
  }
}

/**
 * The same for what must be done even where no lock can be had, as on a full disk or in a folder that can only be read:
 * others are waited for, but not kept from the container.
 */
export async function lockedAnyway<T>(call: Call, work: () => Promise<T>): Promise<T> {
  const { locks } = call.store
  const { containerId } = call.request
  const tell = (error: unknown) => {
    if (!(error instanceof CniError) || error.code !== KactusCode.State) throw error
    call.log.error(error.message)
  }
  const lock = await locks.lock(containerId).catch(error => {
    tell(error)
    return locks.waitFor(containerId)
  })
  try {
    await lock.begin().catch(tell)
    return await work()
  } finally {
    lock.release()
  }
}
