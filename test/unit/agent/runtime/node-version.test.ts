import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { nodeFault } from '../../../../agent/runtime/node-version.ts'

const { engines } = JSON.parse(await readFile(join(import.meta.dirname, '../../../../package.json'), 'utf8'))
const least = String(engines.node).replace('>=', '')

for (const version of [`${least}.0`, '22.20.1', '23.0.0', '24.21.0', '100.1.0']) {
  t.equal(nodeFault(version), undefined, version)
}
for (const version of ['22.18.9', '22.9.0', '20.19.2', '18.0.0', '2.19.0', 'junk', '']) {
  t.equal(nodeFault(version), `Node.js ${version} is too old: nopal needs ${least} or newer`, version)
}
