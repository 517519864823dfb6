import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { KubeconfigError } from '../../../../cni/host/kubeconfig.ts'
import { readInCluster, readKubeconfig } from '../../../../cni/kactus/kubeconfig.ts'
import { randomInput } from '../random-input.ts'

const SECRET = 'eyJsecret'
const base64 = (text: string) => Buffer.from(text).toString('base64')

interface Parts {
  readonly cluster?: Readonly<Record<string, unknown>>
  readonly user?: Readonly<Record<string, unknown>>
  readonly more?: Readonly<Record<string, unknown>>
}

function kubeconfig({ cluster = {}, user = {}, more = {} }: Parts = {}): string {
  return JSON.stringify({
    'current-context': 'here',
    contexts: [{ name: 'there' }, { name: 'here', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://10.96.0.1:6443', ...cluster } }],
    users: [{ name: 'u', user: { token: SECRET, ...user } }],
    ...more,
  })
}

function written(t: Test, text: string, files: Readonly<Record<string, string>> = {}): string {
  return join(t.testdir({ kubeconfig: text, ...files }), 'kubeconfig')
}

t.test('as the agent writes it', async t => {
  const text = `apiVersion: v1
kind: Config
current-context: kactus
clusters:
- name: local
  cluster:
    server: https://10.96.0.1:443
    certificate-authority-data: ${base64('the CA')}
contexts:
- name: kactus
  context:
    cluster: local
    user: kactus
users:
- name: kactus
  user:
    token: "${SECRET}"
`
  const access = await readKubeconfig(written(t, text))
  t.equal(access.server.href, 'https://10.96.0.1/')
  t.match(access, {
    caPem: 'the CA',
    token: SECRET,
    insecure: false,
    tlsServerName: undefined,
    clientKeyPem: undefined,
  })
})

interface ReadCase {
  readonly name: string
  readonly parts: Parts
  readonly want: Readonly<Record<string, unknown>>
}

const files = { 'ca.crt': 'the CA', token: `${SECRET}2\n`, 'me.crt': 'my certificate', 'me.key': 'my key' }

const readCases: readonly ReadCase[] = [
  {
    name: 'files beside it',
    parts: {
      cluster: { 'certificate-authority': 'ca.crt' },
      user: { 'client-certificate': 'me.crt', 'client-key': 'me.key' },
    },
    want: { caPem: 'the CA', clientCertPem: 'my certificate', clientKeyPem: 'my key' },
  },
  {
    name: 'data wins over files',
    parts: { cluster: { 'certificate-authority': 'none', 'certificate-authority-data': base64('inline') } },
    want: { caPem: 'inline' },
  },
  {
    name: 'the file of the token wins, without its line end',
    parts: { user: { tokenFile: 'token' } },
    want: { token: `${SECRET}2` },
  },
  { name: 'no token at all', parts: { user: { token: null } }, want: { token: undefined } },
  {
    name: 'another name of the server',
    parts: { cluster: { 'tls-server-name': 'kube.test' } },
    want: { tlsServerName: 'kube.test' },
  },
  {
    name: 'no verification',
    parts: { cluster: { 'insecure-skip-tls-verify': true } },
    want: { insecure: true },
  },
  {
    name: 'nothing is asked for by what is empty',
    parts: {
      cluster: { 'proxy-url': '' },
      user: { exec: null, 'auth-provider': null, username: '', password: 'x', as: '', 'as-groups': [] },
    },
    want: { token: SECRET },
  },
  { name: 'digits are a token too', parts: { user: { token: 12345 } }, want: { token: '12345' } },
]

for (const { name, parts, want } of readCases) {
  t.test(`read: ${name}`, async t => {
    t.match(await readKubeconfig(written(t, kubeconfig(parts), files)), want)
  })
}

interface BadCase {
  readonly name: string
  readonly text: string
  readonly message: RegExp
}

const badCases: readonly BadCase[] = [
  { name: 'nothing', text: '', message: /names no context$/ },
  { name: 'a list', text: `["${SECRET}"]`, message: /is no kubeconfig$/ },
  { name: 'no YAML', text: `a: b\n${SECRET}`, message: /is no kubeconfig: line \d is no YAML$/ },
  { name: 'no context', text: kubeconfig({ more: { 'current-context': '' } }), message: /names no context$/ },
  {
    name: 'a context that is not there',
    text: kubeconfig({ more: { 'current-context': 'gone' } }),
    message: /has no context "\w+"$/,
  },
  {
    name: 'contexts that are text',
    text: kubeconfig({ more: { contexts: SECRET } }),
    message: /has no context "\w+"$/,
  },
  { name: 'no clusters', text: kubeconfig({ more: { clusters: [] } }), message: /has no cluster "\w+"$/ },
  { name: 'users of null', text: kubeconfig({ more: { users: [null] } }), message: /has no user "\w+"$/ },
  {
    name: 'an address that is none',
    text: kubeconfig({ cluster: { server: SECRET } }),
    message: /"server" is no address$/,
  },
  { name: 'no address', text: kubeconfig({ cluster: { server: null } }), message: /"server" is no address$/ },
  {
    name: 'an address without TLS',
    text: kubeconfig({ cluster: { server: `http://${SECRET}.test` } }),
    message: /"server" is not https$/,
  },
  {
    name: 'a program to run',
    text: kubeconfig({ user: { exec: { command: SECRET } } }),
    message: /has "exec", which is not supported$/,
  },
  { name: 'a proxy', text: kubeconfig({ cluster: { 'proxy-url': `http://${SECRET}` } }), message: /has "proxy-url"/ },
  { name: 'another to act as', text: kubeconfig({ user: { as: SECRET } }), message: /has "as"/ },
  { name: 'groups to act as', text: kubeconfig({ user: { 'as-groups': [SECRET] } }), message: /has "as-groups"/ },
  { name: 'a token that is a list', text: kubeconfig({ user: { token: [SECRET] } }), message: /"token" is no text$/ },
  ...['true', 'yes', '', 1, SECRET].map(flag => ({
    name: `a verification that is neither: ${JSON.stringify(flag)}`,
    text: kubeconfig({ cluster: { 'insecure-skip-tls-verify': flag } }),
    message: /neither true nor false$/,
  })),
  {
    name: 'a cluster that is text',
    text: kubeconfig({ more: { clusters: [{ name: 'c', cluster: SECRET }] } }),
    message: /cluster is no object$/,
  },
  { name: 'a password', text: kubeconfig({ user: { username: 'x', password: SECRET } }), message: /has "username"/ },
  { name: 'a helper', text: kubeconfig({ user: { 'auth-provider': {} } }), message: /has "auth-provider"/ },
  {
    name: 'a token with a line end inside',
    text: kubeconfig({ user: { token: `${SECRET}\r\nX-Header: 1` } }),
    message: /a character that no token has$/,
  },
  {
    name: 'a file that is not there',
    text: kubeconfig({ user: { tokenFile: 'gone' } }),
    message: /gone cannot be read: ENOENT$/,
  },
]

for (const { name, text, message } of badCases) {
  t.test(`refused, and nothing secret quoted: ${name}`, async t => {
    const error = await refusal(readKubeconfig(written(t, text)))
    t.match(error.message, message)
    t.notMatch(error.message, SECRET)
  })
}

t.test('no file', async t => {
  t.match((await refusal(readKubeconfig(join(t.testdir({}), 'none')))).message, /cannot be read: ENOENT$/)
})

interface ClusterCase {
  readonly name: string
  readonly host: string | undefined
  readonly port: string | undefined
  readonly want: string | undefined
}

const clusterCases: readonly ClusterCase[] = [
  { name: 'IPv4', host: '10.96.0.1', port: '443', want: 'https://10.96.0.1/' },
  { name: 'IPv6', host: 'fd00::1', port: '6443', want: 'https://[fd00::1]:6443/' },
  { name: 'no host', host: undefined, port: '443', want: undefined },
  { name: 'no port', host: '10.96.0.1', port: '', want: undefined },
  { name: 'a port that is none', host: '10.96.0.1', port: 'x', want: undefined },
]

for (const { name, host, port, want } of clusterCases) {
  t.test(`in a pod: ${name}`, async t => {
    const folder = t.testdir({ token: `${SECRET}\n`, 'ca.crt': 'the CA' })
    if (want === undefined) return void (await refusal(readInCluster({ host, port, folder })))
    const access = await readInCluster({ host, port, folder })
    t.equal(access.server.href, want)
    t.match(access, { token: SECRET, caPem: 'the CA', insecure: false })
  })
}

t.test('in a pod without an account', async t => {
  const where = { host: '10.96.0.1', port: '443' }
  t.match(
    (await refusal(readInCluster({ ...where, folder: t.testdir({ 'ca.crt': '' }) }))).message,
    /token cannot be read/,
  )
  t.match(
    (await refusal(readInCluster({ ...where, folder: t.testdir({ token: ' \n', 'ca.crt': '' }) }))).message,
    /token is empty/,
  )
})

t.test('random damage is refused or harmless, and never quoted', async t => {
  const random = randomInput(67)
  const path = written(t, '')
  const surprises: string[] = []
  for (let round = 0; round < 400; round++) {
    const text = random.damaged(random.damaged(kubeconfig()))
    writeFileSync(path, text)
    await readKubeconfig(path).catch(error => {
      const isPlain = error instanceof KubeconfigError && !error.message.includes(SECRET.slice(0, 6))
      if (!isPlain) surprises.push(`${text}: ${String(error)}`)
    })
  }
  t.strictSame(surprises, [])
})

async function refusal(reading: Promise<unknown>): Promise<KubeconfigError> {
  const outcome = await reading.then(
    () => undefined,
    error => error,
  )
  if (outcome instanceof KubeconfigError) return outcome
  throw outcome ?? new Error('it was not refused')
}
