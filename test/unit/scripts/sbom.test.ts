import t from 'tap'
import { debianPart, npmParts, renderSbom } from '../../../scripts/sbom.ts'

const lock = {
  'node_modules/pino': { version: '10.4.0', license: 'MIT' },
  'node_modules/@oven/bun-linux-aarch64': { version: '1.4.5' },
  'node_modules/a/node_modules/b': { version: '2.0.0', license: 'ISC' },
}

const record = `Package: libstdc++6
Source: gcc-12
Version: 1:12.2.0-14+deb12u1
Architecture: amd64
Depends: libc6 (>= 2.36)
`

t.test('packages of npm, by their paths in the lock', async t => {
  t.same(npmParts(Object.keys(lock), lock), [
    { name: 'pino', version: '10.4.0', license: 'MIT', purl: 'pkg:npm/pino@10.4.0' },
    {
      name: '@oven/bun-linux-aarch64',
      version: '1.4.5',
      license: undefined,
      purl: 'pkg:npm/%40oven/bun-linux-aarch64@1.4.5',
    },
    { name: 'b', version: '2.0.0', license: 'ISC', purl: 'pkg:npm/b@2.0.0' },
  ])
  t.throws(() => npmParts(['node_modules/none'], lock), { message: 'package-lock.json has no node_modules/none' })
})

t.test('a package of Debian, by its record', async t => {
  t.same(debianPart(record), {
    name: 'libstdc++6',
    version: '1:12.2.0-14+deb12u1',
    license: undefined,
    purl: 'pkg:deb/debian/libstdc%2B%2B6@1%3A12.2.0-14%2Bdeb12u1?arch=amd64',
  })
  for (const text of ['', 'Package: x\n', 'Version: 1\n'])
    t.throws(() => debianPart(text), { message: 'a record of dpkg names no package or version' })
})

t.test('the bill: the image, and each part of it', async t => {
  const parts = [...npmParts(['node_modules/pino'], lock), debianPart(record)]
  const bill = renderSbom({ version: '0.1.0', arch: 'amd64' }, parts)
  t.match(bill, {
    spdxVersion: 'SPDX-2.3',
    name: 'nopal-0.1.0-amd64',
    packages: [
      { SPDXID: 'SPDXRef-image', name: 'nopal', licenseDeclared: 'Apache-2.0' },
      { SPDXID: 'SPDXRef-0', name: 'pino', licenseDeclared: 'MIT' },
      { SPDXID: 'SPDXRef-1', name: 'libstdc++6', licenseDeclared: 'NOASSERTION' },
    ],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: 'SPDXRef-image' },
      { spdxElementId: 'SPDXRef-image', relationshipType: 'CONTAINS', relatedSpdxElement: 'SPDXRef-0' },
      { spdxElementId: 'SPDXRef-image', relationshipType: 'CONTAINS', relatedSpdxElement: 'SPDXRef-1' },
    ],
  })
  t.equal(
    JSON.stringify(bill),
    JSON.stringify(renderSbom({ version: '0.1.0', arch: 'amd64' }, parts)),
    'always the same bytes',
  )
})
