import { join } from 'node:path'
import t from 'tap'
import { readSystemConf } from '../../../../agent/podagent/system-conf.ts'

const kactus = (more: object = {}, ...others: readonly object[]) =>
  JSON.stringify({ cniVersion: '1.0.0', name: 'kactus-net', plugins: [{ type: 'kactus', ...more }, ...others] })
const bridge = JSON.stringify({ cniVersion: '1.0.0', name: 'lab', plugins: [{ type: 'bridge' }] })

t.test('the first configuration, where it is one of kactus alone', async t => {
  const root = t.testdir({ net: { '05-kactus.conflist': kactus({ cniDir: '/state' }), '10-lab.conflist': bridge } })
  const conf = await readSystemConf(join(root, 'net'), root)
  t.match(conf, { name: 'kactus-net', multusReader: 'kactus', cniDir: join(root, 'state') })
})

interface Refused {
  readonly name: string
  readonly files: Readonly<Record<string, string>>
}

// To any other plugin the same call would be one about the pod's default network.
const refused: readonly Refused[] = [
  { name: 'another plugin comes first', files: { '00-lab.conflist': bridge, '05-kactus.conflist': kactus() } },
  { name: 'kactus has company', files: { '05-kactus.conflist': kactus({}, { type: 'portmap' }) } },
  { name: 'there is none', files: {} },
]

for (const { name, files } of refused) {
  t.test(`nobody is called: ${name}`, async t => {
    const root = t.testdir({ net: files })
    await t.rejects(readSystemConf(join(root, 'net'), ''), { code: 'NotKactus' })
  })
}

t.test('where multus is the default network, it reads its annotations itself', async t => {
  const delegates = [{ type: 'bridge' }, { masterPlugin: true, plugins: [{ type: 'multus-shim' }] }]
  const root = t.testdir({ '05-kactus.conflist': kactus({ delegates }) })
  t.match(await readSystemConf(root, ''), { multusReader: 'multus' })
})
