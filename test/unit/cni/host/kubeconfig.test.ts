import t from 'tap'
import { chooseContext, flagOf, KubeconfigError, parseKubeconfig } from '../../../../cni/host/kubeconfig.ts'

const SECRET = 'eyJsecret'

const whole = `apiVersion: v1
kind: Config
current-context: here
contexts:
- name: here
  context: {cluster: c, user: u}
clusters:
- name: c
  cluster:
    server: https://10.96.0.1:6443
users:
- name: u
  user:
    token: ${SECRET}
`

interface FormCase {
  readonly name: string
  readonly text: string
  readonly cluster?: Readonly<Record<string, unknown>>
  readonly user?: Readonly<Record<string, unknown>>
}

const server = 'https://10.96.0.1:6443'
const json = JSON.stringify({
  'current-context': 'here',
  contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
  clusters: [{ name: 'c', cluster: { server } }],
  users: [{ name: 'u', user: { token: SECRET } }],
})

/** Each of these is fine with kubectl. */
const formCases: readonly FormCase[] = [
  { name: 'block style', text: whole },
  { name: 'JSON', text: json },
  { name: 'JSON behind a byte order mark', text: `\ufeff${json}` },
  { name: 'a byte order mark', text: `\ufeff${whole}` },
  { name: 'document marks', text: `---\n${whole}...\n` },
  { name: 'a second document', text: `${whole}---\nusers: []\n` },
  { name: 'a directive', text: `%YAML 1.2\n---\n${whole}` },
  { name: 'line ends of elsewhere', text: whole.replaceAll('\n', '\r\n') },
  { name: 'comments', text: whole.replace('users:', '# users\nusers: # below\n  # one') },
  {
    name: 'flow style',
    text: whole.replace(/users:[\s\S]*/, `users: [{name: u, user: {token: ${SECRET}}}]\n`),
  },
  { name: 'a folded scalar', text: whole.replace(`token: ${SECRET}`, `token: >-\n      ${SECRET}`) },
  { name: 'a literal scalar', text: whole.replace(`token: ${SECRET}`, `token: |-\n      ${SECRET}`) },
  { name: 'single quotes', text: whole.replace(SECRET, `'${SECRET}'`) },
  { name: 'double quotes over two lines', text: whole.replace(SECRET, `"eyJ\\\n      secret"`) },
  {
    name: 'an anchor and its alias',
    text: whole
      .replace(`user:\n    token: ${SECRET}`, 'user: *me')
      .replace('users:\n', `users:\n- name: other\n  user: &me {token: ${SECRET}}\n`),
  },
  {
    name: 'a merge key',
    text: whole
      .replace('users:\n', `extra: &me {token: ${SECRET}}\nusers:\n`)
      .replace(`user:\n    token: ${SECRET}`, 'user:\n    <<: *me'),
  },
  { name: 'a tag', text: whole.replace(SECRET, `!!str ${SECRET}`) },
  { name: 'a tag that nobody knows', text: whole.replace('kind: Config', 'kind: !mine Config') },
  { name: 'a doubled key: the last one', text: whole.replace('    token', '    token: first\n    token') },
  { name: 'a doubled key of a neighbour', text: whole.replace('kind: Config', 'kind: Config\nkind: Config') },
  { name: 'a neighbour of null', text: whole.replace('users:\n', 'users:\n- null\n- name: broken\n  user: null\n') },
  { name: 'a neighbour without a name', text: whole.replace('users:\n', 'users:\n- user: {token: [1]}\n- 7\n') },
  {
    name: 'a neighbour without a server',
    text: whole.replace('clusters:\n', 'clusters:\n- name: z\n  cluster: {}\n- name: []\n'),
  },
  { name: 'a context that leads nowhere', text: whole.replace('contexts:\n', 'contexts:\n- name: z\n  context: 5\n') },
  {
    name: 'digits',
    text: whole.replace(SECRET, '00123456789012345678901'),
    user: { token: '00123456789012345678901' },
  },
  { name: 'a date', text: whole.replace(SECRET, '2020-01-01'), user: { token: '2020-01-01' } },
  { name: 'a word that means something', text: whole.replaceAll('here', 'yes') },
  { name: 'a context that is a number', text: whole.replaceAll('here', '5') },
  { name: 'no user: anonymous', text: whole.replace(', user: u}', '}'), user: { token: undefined } },
  { name: 'a user of null: anonymous', text: whole.replace(/user:\n.*/, 'user: null'), user: { token: undefined } },
  {
    name: 'paths from the folder of the file',
    text: whole
      .replace('server', 'certificate-authority: ca.crt\n    server')
      .replace(/token: .*/, 'tokenFile: ../t\n    client-key: /abs/key\n    exec: {command: bin/login, args: [a]}'),
    cluster: { 'certificate-authority': '/k/ca.crt' },
    user: { tokenFile: '/t', 'client-key': '/abs/key', exec: { command: '/k/bin/login', args: ['a'] } },
  },
  {
    name: 'a command without a path',
    text: whole.replace(/token: .*/, 'exec: {command: login}'),
    user: { exec: { command: 'login' } },
  },
]

for (const { name, text, cluster = { server }, user = { token: SECRET } } of formCases) {
  t.test(`form: ${name}`, async t => {
    const chosen = chooseContext([await parseKubeconfig('/k/config', text)])
    t.match(chosen.cluster, cluster)
    t.match(chosen.user, user)
  })
}

/** As kubectl reads `insecure-skip-tls-verify`; undefined = it refuses. */
const flagCases: readonly (readonly [yaml: string, want: boolean | undefined])[] = [
  ['true', true],
  ['True', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['n', false],
  ['null', false],
  ['!!bool "true"', true],
  ['"true"', undefined],
  ["'false'", undefined],
  ['"yes"', undefined],
  ['!!str true', undefined],
  ['""', undefined],
  ['1', undefined],
  ['tru', undefined],
  ['[true]', undefined],
]

for (const [yaml, want] of flagCases) {
  t.test(`a flag: ${yaml}`, async t => {
    const { document } = await parseKubeconfig('/k/config', `flag: ${yaml}\n`)
    if (want === undefined) t.throws(() => flagOf(document, 'flag'), KubeconfigError)
    else t.equal(flagOf(document, 'flag'), want)
  })
}

t.test('several files: of entries of one name the first counts, and so does the first context', async t => {
  const first = `current-context: ''\nclusters: [{name: c, cluster: {server: "https://first", certificate-authority: ca}}]\nusers: null`
  const second = whole.replace('user:\n    token', 'user:\n    client-key: key\n    token')
  const third = whole.replaceAll('here', 'there').replace(SECRET, 'third')
  const texts = [first, second, third]
  const files = await Promise.all(texts.map((text, at) => parseKubeconfig(`/${at + 1}/config`, text)))
  t.match(chooseContext(files), {
    cluster: { server: 'https://first', 'certificate-authority': '/1/ca' },
    user: { token: SECRET, 'client-key': '/2/key' },
  })
})

interface JunkCase {
  readonly name: string
  readonly text: string
  readonly message: RegExp
}

const junkCases: readonly JunkCase[] = [
  { name: 'a list', text: `- ${SECRET}`, message: /^\/k\/config is no kubeconfig$/ },
  { name: 'text', text: SECRET, message: /^\/k\/config is no kubeconfig$/ },
  { name: 'a tab', text: `a:\n\ttoken: ${SECRET}`, message: /line 2 is no YAML$/ },
  { name: 'a quote that does not end', text: `token: '${SECRET}`, message: /is no YAML$/ },
  { name: 'an alias of nothing', text: `token: *${SECRET}`, message: /is no YAML$/ },
  { name: 'JSON that breaks off', text: `{"token":"${SECRET}"`, message: /is no YAML$/ },
  { name: 'lists without end', text: '- '.repeat(2000), message: /is no YAML$/ },
  { name: 'no context', text: whole.replace('here', '""'), message: /names no context$/ },
  {
    name: 'a context that is not there',
    text: whole.replace(': here', ': gone'),
    message: /has no context "\w+"$/,
  },
  {
    name: 'a context that is text',
    text: whole.replace('{cluster: c, user: u}', SECRET),
    message: /context is no object$/,
  },
  {
    name: 'a cluster that is not there',
    text: whole.replace('cluster: c', 'cluster: z'),
    message: /has no cluster "\w+"$/,
  },
  {
    name: 'a user that is not there',
    text: whole.replace('user: u', 'user: z'),
    message: /has no user "\w+"$/,
  },
]

for (const { name, text, message } of junkCases) {
  t.test(`refused, and nothing secret quoted: ${name}`, async t => {
    const error = await parseKubeconfig('/k/config', text)
      .then(file => chooseContext([file]))
      .catch(error => error)
    t.ok(error instanceof KubeconfigError, String(error))
    t.match(error.message, message)
    t.notMatch(`${error.message} ${String(error.cause)}`, SECRET)
  })
}
