import t from 'tap'
import { derive, type Watched } from '../../../../agent/kube/derive.ts'
import type { Change, Reader } from '../../../../agent/kube/informer.ts'

/** An informer of numbers, told by hand. */
function numbers(all: Readonly<Record<string, number>>) {
  const readers = new Set<Reader<number>>()
  const informer: Watched<number> = {
    get: key => all[key],
    values: () => Object.values(all),
    synced: () => true,
    subscribe(reader) {
      readers.add(reader)
      return () => readers.delete(reader)
    },
  }
  const tell = (changes: readonly Change<number>[]) => {
    for (const reader of readers) reader(changes)
  }
  return { informer, tell }
}

const even = (value: number) => (value % 2 === 0 ? `${value}` : undefined)

t.test('objects that a reader has no use for are not there', async t => {
  const { informer } = numbers({ a: 1, b: 2, c: 4 })
  const derived = derive(informer, even)
  t.same([...derived.values()], ['2', '4'])
  t.same([derived.get('a'), derived.get('b'), derived.get('z')], [undefined, '2', undefined])
  t.equal(derived.synced(), true)
})

t.test('changes come as the reader sees them; what is none of its own is no news, all anew is', async t => {
  const { informer, tell } = numbers({})
  const heard: unknown[] = []
  const end = derive(informer, even).subscribe(changes => heard.push(changes))
  tell([{ key: 'a', before: 1, after: 3 }])
  t.same(heard, [], 'an empty list would say that all was told anew')
  tell([
    { key: 'a', before: 3, after: 5 },
    { key: 'b', before: 1, after: 2 },
    { key: 'c', before: 4, after: undefined },
  ])
  tell([])
  t.same(heard, [
    [
      { key: 'b', before: undefined, after: '2' },
      { key: 'c', before: '4', after: undefined },
    ],
    [],
  ])
  end()
  tell([])
  t.equal(heard.length, 2)
})
