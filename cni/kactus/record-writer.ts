import type { Attachment, ContainerRecord } from '../networks/record.ts'
import type { RecordStore } from './store.ts'

/** What is to be changed of an attachment. */
export type AttachmentChange = Partial<Pick<Attachment, 'status' | 'result' | 'refusal'>>

/** Where the work on a container is noted. */
export interface RecordProgress {
  readonly record: ContainerRecord
  /** The attachment as it is now. */
  current(ifname: string): Attachment | undefined
  /** Changes one attachment and returns when that is as safe as asked. */
  change(ifname: string, change: AttachmentChange, durable?: boolean): Promise<void>
  /** Changes one attachment; that gets on disk with the next write, or soon. */
  note(ifname: string, change: AttachmentChange): void
}

/** Notes nothing: for work that leaves nothing to be undone. */
export function unwritten(record: ContainerRecord): RecordProgress {
  return {
    record,
    current: ifname => record.attachments.find(attachment => attachment.ifname === ifname),
    change: () => Promise.resolve(),
    note: () => undefined,
  }
}

/**
 * Keeps a container's record on disk in step with what is being done. Changes that come while a write is under way
 * share the next one, so that networks attached side by side do not queue for the disk.
 */
export class RecordWriter implements RecordProgress {
  readonly #store: RecordStore
  #record: ContainerRecord
  #next: Promise<void> | undefined
  #last: Promise<void> = Promise.resolve()
  #isNextDurable = false
  #soon: NodeJS.Timeout | undefined

  constructor(store: RecordStore, record: ContainerRecord) {
    this.#store = store
    this.#record = record
  }

  get record(): ContainerRecord {
    return this.#record
  }

  current(ifname: string): Attachment | undefined {
    return this.#record.attachments.find(attachment => attachment.ifname === ifname)
  }

  change(ifname: string, change: AttachmentChange, durable = true): Promise<void> {
    return this.replace(withChange(this.#record, ifname, change), durable)
  }

  note(ifname: string, change: AttachmentChange): void {
    this.#record = withChange(this.#record, ifname, change)
    // A fault of the disk is met again by the write that somebody waits for.
    this.#soon ??= setTimeout(() => this.flush().catch(() => undefined), SOON_MS)
  }

  /** Returns when all that was noted is on disk. */
  flush(): Promise<void> {
    return this.replace(this.#record)
  }

  /** Replaces the record and returns when that is on disk. */
  replace(record: ContainerRecord, durable = true): Promise<void> {
    clearTimeout(this.#soon)
    this.#soon = undefined
    this.#record = record
    this.#isNextDurable ||= durable
    this.#next ??= this.#afterLast()
    return this.#next
  }

  /** Ends the record: nothing of the container is left. */
  async remove(): Promise<void> {
    clearTimeout(this.#soon)
    await this.#last.catch(() => undefined)
    await this.#store.remove(this.#record.containerId)
  }

  #afterLast(): Promise<void> {
    const write = this.#last
      .catch(() => undefined)
      .then(() => {
        const isDurable = this.#isNextDurable
        this.#next = undefined
        this.#isNextDurable = false
        return this.#store.write(this.#record, isDurable)
      })
    this.#last = write
    return write
  }
}

/** Long enough for networks that are attached side by side to share a write, short enough for one that hangs. */
const SOON_MS = 50

function withChange(record: ContainerRecord, ifname: string, change: AttachmentChange): ContainerRecord {
  const attachments = record.attachments.map(entry => (entry.ifname === ifname ? { ...entry, ...change } : entry))
  return { ...record, attachments }
}
