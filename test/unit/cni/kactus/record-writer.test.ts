import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { RecordWriter, unwritten } from '../../../../cni/kactus/record-writer.ts'
import type { RecordStore } from '../../../../cni/kactus/store.ts'
import type { ContainerRecord } from '../../../../cni/networks/record.ts'
import { aux, GREEN, primary, recordOf } from './fixtures.ts'

/** A disk whose writes end when the test says so. */
class SlowDisk {
  readonly writes: { readonly statuses: readonly string[]; readonly durable: boolean }[] = []
  removals = 0
  readonly #ends: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = []

  write(record: ContainerRecord, durable: boolean): Promise<void> {
    this.writes.push({ statuses: record.attachments.map(({ status }) => status), durable })
    return new Promise((resolve, reject) => this.#ends.push({ resolve, reject }))
  }

  async remove(): Promise<void> {
    this.removals++
  }

  async end(error?: Error): Promise<void> {
    const end = this.#ends.shift()
    if (error === undefined) end?.resolve()
    else end?.reject(error)
    await setImmediate()
  }

  get store(): RecordStore {
    return this as unknown as RecordStore
  }
}

const record = recordOf([primary({ status: 'planned' }), aux({ status: 'planned' })])

t.test('changes that come during a write share the next one', async t => {
  const disk = new SlowDisk()
  const writer = new RecordWriter(disk.store, record)
  const done: string[] = []
  const first = writer.change('eth0', { status: 'adding' }).then(() => done.push('first'))
  await setImmediate()
  const second = writer.change('eth0', { status: 'added' }, false).then(() => done.push('second'))
  const third = writer.change(GREEN, { status: 'adding' }).then(() => done.push('third'))
  await setImmediate()
  t.equal(disk.writes.length, 1, 'one write at a time')
  await disk.end()
  t.strictSame(done, ['first'])
  t.strictSame(disk.writes, [
    { statuses: ['adding', 'planned'], durable: true },
    { statuses: ['added', 'adding'], durable: true },
  ])
  await disk.end()
  await Promise.all([first, second, third])
  t.equal(disk.writes.length, 2)
})

t.test('a write is durable where any of its changes must be', async t => {
  const disk = new SlowDisk()
  const writer = new RecordWriter(disk.store, record)
  const only = writer.change('eth0', { status: 'deleted' }, false)
  await setImmediate()
  await disk.end()
  await only
  t.equal(disk.writes[0]?.durable, false)
  const two = [writer.change('eth0', { status: 'added' }), writer.change(GREEN, { status: 'added' }, false)]
  await setImmediate()
  await disk.end()
  await Promise.all(two)
  t.equal(disk.writes.length, 2)
  t.equal(disk.writes[1]?.durable, true)
})

t.test('what is changed is seen at once', async t => {
  const disk = new SlowDisk()
  const writer = new RecordWriter(disk.store, record)
  const change = writer.change('eth0', { status: 'adding' })
  t.equal(writer.current('eth0')?.status, 'adding')
  t.equal(writer.current('none'), undefined)
  t.equal(writer.record.attachments[1]?.status, 'planned')
  await setImmediate()
  await disk.end()
  await change
})

t.test('a write that fails tells those it was for, and the next one goes on', async t => {
  const disk = new SlowDisk()
  const writer = new RecordWriter(disk.store, record)
  const first = writer.change('eth0', { status: 'adding' })
  const refused = t.rejects(first, { message: 'disk full' })
  await setImmediate()
  const second = writer.change('eth0', { status: 'added' })
  await disk.end(new Error('disk full'))
  await refused
  await disk.end()
  await t.resolves(second)
})

t.test('the record ends after the write that is under way', async t => {
  const disk = new SlowDisk()
  const writer = new RecordWriter(disk.store, record)
  const change = writer.change('eth0', { status: 'adding' })
  const removal = writer.remove()
  await setImmediate()
  t.equal(disk.removals, 0)
  await disk.end()
  await Promise.all([change, removal])
  t.equal(disk.removals, 1)
})

t.test('where nothing is to be noted', async t => {
  const progress = unwritten(record)
  await progress.change('eth0', { status: 'deleted' })
  t.equal(progress.current('eth0')?.status, 'planned')
  t.equal(progress.record, record)
})
