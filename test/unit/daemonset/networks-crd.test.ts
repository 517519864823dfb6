import t from 'tap'
import { createRandom } from '../agent/verify/seeded-random.ts'
import { readYaml } from './manifests.ts'

interface Rule {
  readonly rule: string
  readonly message: string
}

interface Property {
  readonly description: string
  readonly maxLength: number
  readonly 'x-kubernetes-validations': readonly Rule[]
}

interface Crd {
  readonly spec: CrdSpec
}

interface CrdSpec {
  readonly versions: readonly [
    { readonly schema: { readonly openAPIV3Schema: { readonly properties: { readonly spec: SpecSchema } } } },
  ]
}

interface SpecSchema {
  readonly description: string
  readonly properties: { readonly plugin: Property; readonly config: Property }
}

const [crd] = readYaml('networks-crd.yaml') as [Crd]
const { properties } = crd.spec.versions[0].schema.openAPIV3Schema.properties.spec
const [begins, neighbours, brackets] = properties.config['x-kubernetes-validations']

/** The pattern of a rule that is nothing but self.matches; it means the same in RE2 and here. */
function patternOf(rule: Rule | undefined): RegExp {
  const [, pattern] = /^self\.matches\(r?'(.*)'\)$/s.exec(rule?.rule ?? '') ?? []
  if (pattern === undefined) throw new Error(`no pattern in ${rule?.rule}`)
  return new RegExp(pattern, 'u')
}

const beginsPattern = patternOf(begins)
const neighboursPattern = patternOf(neighbours)

function bracketsMatch(config: string): boolean {
  const [, pattern = ''] = /findAll\(r'(.*?)'\)/.exec(brackets?.rule ?? '') ?? []
  const tokens = config.match(new RegExp(pattern, 'gu')) ?? []
  const count = (bracket: string) => tokens.filter(token => token === bracket).length
  return count('{') === count('}') && count('[') === count(']')
}

function isAccepted(config: string): boolean {
  return beginsPattern.test(config) && neighboursPattern.test(config) && bracketsMatch(config)
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

const leaves: readonly unknown[] = [0, -1, 1.5e300, 1e-7, true, false, null, '', 'a"\\{[,:]}', '\n\u0001é☃', '01', ' ']

function randomValue(random: (below: number) => number, depth: number): unknown {
  const kind = depth === 0 ? 0 : random(3)
  if (kind === 0) return leaves[random(leaves.length)]
  const values = Array.from({ length: random(4) }, () => randomValue(random, depth - 1))
  return kind === 1 ? values : Object.fromEntries(values.map((value, at) => [`k${at}"{`, value]))
}

t.test('no JSON object is refused', async t => {
  const random = createRandom(42)
  let refused: string | undefined
  for (let run = 0; run < 2000; run += 1) {
    const text = JSON.stringify({ a: randomValue(random, 6) }, null, [0, 1, '\t'][random(3)])
    if (!isAccepted(text)) refused ??= text
  }
  t.equal(refused, undefined)
})

t.test('most small slips are refused', async t => {
  const random = createRandom(43)
  const tally = { slips: 0, caught: 0 }
  for (let run = 0; run < 2000; run += 1) {
    const text = JSON.stringify({ a: randomValue(random, 3), b: 1 })
    const at = random(text.length)
    const slip = text.slice(0, at) + ['', "'", ',', '}', 'x', '"'][random(6)] + text.slice(at + random(2))
    if (isJsonObject(slip)) continue
    tally.slips += 1
    if (!isAccepted(slip)) tally.caught += 1
  }
  t.ok(tally.slips > 500)
  t.ok(tally.caught / tally.slips > 0.95, `${tally.caught} of ${tally.slips}`)
})

interface ConfigCase {
  readonly name: string
  readonly config: string
  readonly fault?: Rule | undefined
}

const configCases: readonly ConfigCase[] = [
  { name: 'an empty object', config: '{}' },
  { name: 'a chain', config: '{"plugins": [{"type": "bridge", "ipam": {"ranges": [[{"subnet": "10.0.0.0/8"}]]}}]}' },
  { name: 'a large number', config: '{"n": 12345678901234567890}' },
  { name: 'space around', config: '\n { } \t\r\n' },
  { name: 'nothing', config: '', fault: begins },
  { name: 'a list', config: '[]', fault: begins },
  { name: 'YAML', config: 'bridge: green0', fault: begins },
  { name: 'single quotes', config: "{'a': 1}", fault: neighbours },
  { name: 'a word without quotes', config: '{a: 1}', fault: neighbours },
  { name: 'a comma at the end', config: '{"a": 1,}', fault: neighbours },
  { name: 'no comma', config: '{"a": 1 "b": 2}', fault: neighbours },
  { name: 'no colon', config: '{"a" 1}', fault: neighbours },
  { name: 'no value', config: '{"a":}', fault: neighbours },
  { name: 'a key alone', config: '{"a"}', fault: neighbours },
  { name: 'a string that does not end', config: '{"a": "b}', fault: neighbours },
  { name: 'a line break in a string', config: '{"a": "b\nc"}', fault: neighbours },
  { name: 'a comment', config: '{"a": 1} // x', fault: neighbours },
  { name: 'a zero before a number', config: '{"a": 01}', fault: neighbours },
  { name: 'no closing brace', config: '{"a": {"b": 1}', fault: brackets },
  { name: 'a brace too many', config: '{"a": 1}}', fault: brackets },
  { name: 'no closing bracket', config: '{"a": [1}', fault: brackets },
]

for (const { name, config, fault } of configCases) {
  t.test(name, async t => {
    t.equal(isAccepted(config), fault === undefined)
    t.equal(isJsonObject(config), fault === undefined, 'as JSON.parse says')
    if (fault === begins) t.notOk(beginsPattern.test(config))
    if (fault === neighbours) t.notOk(neighboursPattern.test(config))
    if (fault === brackets) t.notOk(bracketsMatch(config))
  })
}

t.test('every field is described, bounded and refused in a sentence', async t => {
  for (const [name, field] of Object.entries(properties)) {
    t.ok(field.description.endsWith('.') || field.description.endsWith('}'), name)
    t.ok(field.maxLength > 0, `${name}: the cost of the rules is bounded`)
    for (const { message } of field['x-kubernetes-validations']) t.match(message, new RegExp(`^${name} `))
  }
})

const pluginCases = [
  { name: 'a plain name', plugin: 'bridge', good: true },
  { name: 'dots and hyphens', plugin: 'my-plugin_2.0', good: true },
  { name: 'a path upward', plugin: '../bridge', good: false },
  { name: 'a folder', plugin: 'a/b', good: false },
  { name: 'the folder above', plugin: '..', good: false },
  { name: 'a flag', plugin: '-h', good: false },
  { name: 'space', plugin: 'a b', good: false },
  { name: 'a second line', plugin: 'a\n', good: false },
  { name: 'nothing', plugin: '', good: false },
]

const pluginPattern = patternOf(properties.plugin['x-kubernetes-validations'][0])
for (const { name, plugin, good } of pluginCases) {
  t.equal(pluginPattern.test(plugin), good, `plugin: ${name}`)
}
