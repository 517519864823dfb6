import { join } from 'node:path'
import t from 'tap'
import { readPoolInput } from '../../../../agent/pool/config-file.ts'
import { load } from '../config/given.ts'

const settings = load({ env: { CANADA_KAKTUS_HCLOUD_TOKEN: 'of-the-environment' } }).settings.pool
const selector = 'kops.k8s.io/instance-role=Node'

interface FileCase {
  readonly name: string
  readonly text: string
  /** What is read, or what is wrong. */
  readonly want: object | string
}

const cases: readonly FileCase[] = [
  {
    name: 'all of it',
    text: '{"LogLevel":"Warn","LabelSelector":"a=b","HcloudToken":"t"}',
    want: { query: { token: 't', selector: 'a=b' }, logLevel: 'warn' },
  },
  {
    name: 'nothing',
    text: '{}',
    want: { query: { token: 'of-the-environment', selector }, logLevel: undefined },
  },
  { name: 'no JSON', text: '{"HcloudToken":"secret"', want: 'is no JSON object' },
  { name: 'a list', text: '["secret"]', want: 'is no JSON object' },
  { name: 'a number', text: '{"LabelSelector":7}', want: 'LabelSelector is no text' },
  { name: 'a key that nobody knows', text: '{"Token":"secret"}', want: 'Token is not known' },
  { name: 'a level that is none', text: '{"LogLevel":"loud"}', want: 'LogLevel is none of debug, info, warn, error' },
  { name: 'a selector that is none', text: '{"LabelSelector":"a=b c"}', want: 'LabelSelector is not a label selector' },
  {
    name: 'a selector that selects everything',
    text: '{"LabelSelector":"","HcloudToken":"secret"}',
    want: 'LabelSelector is empty, which would select every server of the project',
  },
]

for (const { name, text, want } of cases) {
  t.test(name, async t => {
    const configFile = join(t.testdir({ 'config.json': text }), 'config.json')
    const read = readPoolInput({ ...settings, configFile })
    if (typeof want !== 'string') return t.same(await read, want)
    return t.rejects(read, { code: 'BadConfigFile', message: `${configFile}: ${want}` })
  })
}

t.test('a file that is not there', async t => {
  await t.rejects(readPoolInput({ ...settings, configFile: '/nowhere/config.json' }), {
    code: 'BadConfigFile',
    message: '/nowhere/config.json: cannot be read (ENOENT)',
  })
})
