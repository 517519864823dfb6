import t from 'tap'
import { findUnused } from '../../../scripts/unused.ts'

const files: Readonly<Record<string, readonly string[]>> = {
  'agent/main.ts': [
    "import { used, type UsedType } from './lib.ts'",
    "const late = async () => (await import('./lib.ts')).usedLate()",
    "const whole = async () => { const { usedWhole } = await import('./lib.ts'); return usedWhole }",
    'export const main = (shape: UsedType) => [used(shape.read), late, whole, new Thing().called()]',
    'class Thing { called() { return this.#own() } uncalled() {} #own() { return 1 } }',
  ],
  'agent/lib.ts': [
    'export interface UsedType { readonly read: string; readonly unread: number }',
    'export interface OfUsed { readonly text: string }',
    'export interface OfSpace { readonly text: string }',
    'export interface OfNobody { readonly text: string }',
    'export function used(text: string): OfUsed { return { text } }',
    'export const usedLate = () => inner',
    'export const usedWhole = 1',
    'export const inner = 2',
    'export const tested = 3',
    'export const forTests = 4',
    'console.log(tested, ({ text: 1 }).text)',
  ],
  'cni/space.ts': ["import * as lib from '../agent/lib.ts'", 'console.log({} as lib.OfSpace)'],
  'cni/again.ts': ["export { used as again } from '../agent/lib.ts'"],
  'test/a.test.ts': [
    "import { forTests, tested } from '../agent/lib.ts'",
    "import { main } from '../agent/main.ts'",
    'console.log(forTests, tested, main)',
  ],
}

t.test('what nobody needs is told, and nothing else', async t => {
  const tree: Record<string, Record<string, string>> = {}
  for (const [path, lines] of Object.entries(files)) {
    const [folder = '', name = ''] = path.split('/')
    tree[folder] = { ...tree[folder], [name]: `${lines.join('\n')}\n` }
  }
  const compilerOptions = { module: 'nodenext', allowImportingTsExtensions: true, noEmit: true, types: [] }
  const config = { compilerOptions, include: ['agent', 'cni', 'test'] }
  const root = t.testdir({ ...tree, 'tsconfig.json': JSON.stringify(config), 'package.json': '{ "type": "module" }' })
  const found = findUnused(root).filter(sentence => !sentence.startsWith('scripts/'))
  t.strictSame(found.toSorted(), [
    'agent/lib.ts: OfNobody is exported for nobody',
    'agent/lib.ts: UsedType.unread is never read',
    'agent/lib.ts: forTests is used by tests alone',
    'agent/lib.ts: inner is exported for nobody',
    'agent/main.ts: Thing.uncalled is never read',
    'agent/main.ts: main is used by tests alone',
  ])
})
