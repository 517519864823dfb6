import t from 'tap'
import { endingWith, ownedBy, recordWithout } from '../../../../cni/kactus/scope.ts'
import type { Attachment } from '../../../../cni/networks/record.ts'
import { aux, hotplugged, primary, recordOf } from './fixtures.ts'

const scope = { conf: 'kactus-net', ifname: 'eth0' }
const second = primary({ owner: 'eth1', ifname: 'eth1' })
const foreign = primary({ conf: 'other-net', ifname: 'eth7' })

interface ScopeCase {
  readonly name: string
  readonly attachments: readonly Attachment[]
  readonly owned: readonly Attachment[]
  readonly ending: readonly Attachment[]
}

const cases: readonly ScopeCase[] = [
  { name: 'nothing', attachments: [], owned: [], ending: [] },
  { name: 'all of one ADD', attachments: [primary(), aux()], owned: [primary(), aux()], ending: [primary(), aux()] },
  {
    name: 'what was attached later ends with it',
    attachments: [primary(), hotplugged()],
    owned: [primary()],
    ending: [primary(), hotplugged()],
  },
  {
    name: 'while another interface of the runtime lives, that stays',
    attachments: [primary(), hotplugged(), second],
    owned: [primary()],
    ending: [primary()],
  },
  {
    name: 'one that is undone keeps nothing alive',
    attachments: [primary(), hotplugged(), { ...second, status: 'deleted' }],
    owned: [primary()],
    ending: [primary(), hotplugged()],
  },
  {
    name: 'what was attached later ends even where the rest is gone',
    attachments: [hotplugged()],
    owned: [],
    ending: [hotplugged()],
  },
  {
    name: "another configuration's are not ours",
    attachments: [primary(), foreign, hotplugged({ conf: 'other-net' })],
    owned: [primary()],
    ending: [primary()],
  },
  {
    name: 'undone ones belong to it too',
    attachments: [primary({ status: 'deleted' })],
    owned: [primary({ status: 'deleted' })],
    ending: [primary({ status: 'deleted' })],
  },
]

for (const { name, attachments, owned, ending } of cases) {
  t.test(name, async t => {
    t.strictSame(ownedBy(recordOf(attachments), scope), owned)
    t.strictSame(endingWith(recordOf(attachments), scope), ending)
  })
}

t.test('a record without some', async t => {
  const record = recordOf([primary(), aux(), hotplugged()])
  t.strictSame(recordWithout(record, [aux()]), recordOf([primary(), hotplugged()]))
  t.strictSame(recordWithout(record, []), record)
})
