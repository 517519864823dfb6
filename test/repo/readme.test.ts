import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { withSettings } from '../../scripts/settings-table.ts'

const root = join(import.meta.dirname, '../..')
const readme = await readFile(join(root, 'README.md'), 'utf8')

t.equal(readme, withSettings(readme), 'the table of settings is the one in the code: node scripts/settings-table.ts')

for (const file of ['README.md', 'SECURITY.md', 'docs/operations.md', 'docs/airgapped.md', 'docs/by-hand.md']) {
  t.test(`every path that ${file} names is there, and the version is this one`, async t => {
    const text = await readFile(join(root, file), 'utf8')
    const named = [...text.matchAll(/(?<![\w/])((?:scripts|docs|daemonset|test)\/[\w./-]*\w|build\.sh)/g)]
    t.ok(named.length > 0)
    for (const path of new Set(named.map(match => match[1] ?? ''))) await t.resolves(access(join(root, path)), path)
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    for (const [, said] of text.matchAll(/nopal(?:-image-|:)(\d+\.\d+\.\d+)/g)) t.equal(said, version)
  })
}

t.test('README and package.json name the same Node', async t => {
  const { engines } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const [, least] = /Node\.js (\d+\.\d+) or newer/.exec(readme) ?? []
  t.strictSame(engines, { node: `>=${least}` })
})
