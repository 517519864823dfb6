import t from 'tap'
import {
  CredentialsError,
  type KubeCredentials,
  loadAccount,
  type ReadText,
} from '../../../../agent/kube/credentials.ts'
import { loadKubeconfig } from '../../../../agent/kube/kubeconfig.ts'
import { loadCredentials } from '../../../../agent/kube/load-credentials.ts'
import { createRandom } from '../verify/seeded-random.ts'

type Files = Readonly<Record<string, string>>

function readFrom(files: Files): (path: string) => string {
  return path => {
    const text = files[path]
    if (text === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' })
    if (text === 'LOCKED') throw Object.assign(new Error(path), { code: 'EACCES' })
    return text
  }
}

const load = async (path: string, readText: ReadText) => (await loadKubeconfig(path.split(':'), readText)).credentials

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** A kubeconfig of one cluster and one user. */
function kubeconfig(cluster: string, user: string): string {
  return `apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: other, cluster: {server: "https://other"}}, {name: k, cluster: {${cluster}}}]
users: [{name: u, user: {${user}}}]
`
}

interface GoodCase {
  readonly name: string
  readonly files: Files
  readonly want: Partial<KubeCredentials>
}

const goodCases: readonly GoodCase[] = [
  {
    name: 'data in the file, a token',
    files: {
      '/k/config': kubeconfig(
        `server: "https://10.0.0.1:6443/", certificate-authority-data: ${base64('CA')}`,
        'token: T',
      ),
    },
    want: { server: 'https://10.0.0.1:6443', caPem: 'CA', token: 'T', insecure: false },
  },
  {
    name: 'files beside it',
    files: {
      '/k/config': kubeconfig(
        'server: "https://h", certificate-authority: ca.crt',
        'client-certificate: c.crt, client-key: /x/c.key',
      ),
      '/k/ca.crt': 'CA',
      '/k/c.crt': 'CERT',
      '/x/c.key': 'KEY',
    },
    want: { caPem: 'CA', clientCertPem: 'CERT', clientKeyPem: 'KEY' },
  },
  {
    name: 'a token file wins over a token',
    files: { '/k/config': kubeconfig('server: "https://h"', 'tokenFile: token, token: T'), '/k/token': 'FILE\n' },
    want: { token: 'FILE' },
  },
  {
    name: 'another name in the certificate, or no check at all',
    files: {
      '/k/config': kubeconfig('server: "https://h", tls-server-name: kubernetes, insecure-skip-tls-verify: true', ''),
    },
    want: { tlsServerName: 'kubernetes', insecure: true },
  },
]

for (const row of goodCases) {
  t.test(row.name, async t => {
    t.match(await load('/k/config', readFrom(row.files)), { source: 'kubeconfig', ...row.want })
  })
}

interface BadCase {
  readonly name: string
  readonly files: Files
  readonly code: CredentialsError['code']
  readonly message: string
}

const good = 'server: "https://h"'
const badCases: readonly BadCase[] = [
  { name: 'no file', files: {}, code: 'FileMissing', message: 'kubeconfig /k/config does not exist' },
  {
    name: 'no right to read it',
    files: { '/k/config': 'LOCKED' },
    code: 'FileUnreadable',
    message: 'kubeconfig /k/config cannot be read',
  },
  {
    name: 'no YAML',
    files: { '/k/config': 'a: [' },
    code: 'BadKubeconfig',
    message: '/k/config is no kubeconfig: line 1 is no YAML',
  },
  {
    name: 'empty',
    files: { '/k/config': '' },
    code: 'BadKubeconfig',
    message: '/k/config: the kubeconfig names no context',
  },
  {
    name: 'no context chosen',
    files: { '/k/config': 'clusters: []' },
    code: 'BadKubeconfig',
    message: '/k/config: the kubeconfig names no context',
  },
  {
    name: 'a context that is not there',
    files: { '/k/config': 'current-context: x' },
    code: 'BadKubeconfig',
    message: '/k/config: the kubeconfig has no context "x"',
  },
  {
    name: 'a cluster that is not there',
    files: { '/k/config': kubeconfig(good, '').replace('name: k,', 'name: z,') },
    code: 'BadKubeconfig',
    message: '/k/config: the kubeconfig has no cluster "k"',
  },
  {
    name: 'no server',
    files: { '/k/config': kubeconfig('server: ""', '') },
    code: 'BadKubeconfig',
    message: '/k/config: the kubeconfig\'s "server" is no address',
  },
  {
    name: 'a file it names is missing',
    files: { '/k/config': kubeconfig(`${good}, certificate-authority: ca.crt`, '') },
    code: 'FileMissing',
    message: '/k/ca.crt, named in the kubeconfig, does not exist',
  },
  ...['auth-provider: {name: oidc}', 'username: x', 'as: x', 'as-groups: [x]', 'as-uid: "1"'].map(asked => ({
    name: `a login that nopal does not do: ${asked}`,
    files: { '/k/config': kubeconfig(good, asked) },
    code: 'BadKubeconfig' as const,
    message: `/k/config: the kubeconfig's user has "${asked.replace(/:.*/, '')}", which is not supported`,
  })),
  {
    name: 'a proxy of a kind that nobody speaks',
    files: { '/k/config': kubeconfig(`${good}, proxy-url: "ftp://p"`, '') },
    code: 'BadKubeconfig',
    message: `/k/config: the kubeconfig's "proxy-url" is not http or https or socks or socks4 or socks4a or socks5 or socks5h`,
  },
]

for (const row of badCases) {
  t.test(row.name, async t => {
    await t.rejects(load('/k/config', readFrom(row.files)), {
      name: 'CredentialsError',
      code: row.code,
      message: row.message,
    })
  })
}

t.test('a fault never quotes the file: it holds secrets', async t => {
  const files = { '/k/config': 'users: [{name: u, user: {token: s3cret}}\n  x' }
  try {
    await load('/k/config', readFrom(files))
    t.fail('must throw')
  } catch (error) {
    t.ok(error instanceof CredentialsError)
    t.notMatch(JSON.stringify([String(error), String((error as Error).cause)]), 's3cret')
  }
})

t.test('the account of a pod', async t => {
  const files = { '/a/token': 'T\n', '/a/ca.crt': 'CA' }
  const apiService = { host: 'fd00::1', port: 443 }
  t.match(loadAccount({ apiService, folder: '/a', readText: readFrom(files) }), {
    source: 'in-cluster',
    server: 'https://[fd00::1]:443',
    caPem: 'CA',
    token: 'T',
  })
  t.throws(() => loadAccount({ apiService, folder: '/b', readText: readFrom(files) }), {
    code: 'FileMissing',
    message: /\/b\/token/,
  })
  t.throws(() => loadAccount({ apiService: undefined, folder: '/a', readText: readFrom(files) }), {
    code: 'NoCredentials',
  })
})

t.test('a kubeconfig wins over the account', async t => {
  const files = { '/k/config': kubeconfig(good, 'token: T') }
  const settings = { kubeconfig: ['/k/config'], apiService: { host: '10.96.0.1', port: 443 } }
  t.match(await loadCredentials(settings, readFrom(files)), {
    credentials: { server: 'https://h' },
    files: ['/k/config'],
  })
})

t.test('what the credentials were read from is known', async t => {
  const files = {
    '/k/config': kubeconfig(`${good}, certificate-authority: ca.crt`, 'client-certificate: c.crt, client-key: c.key'),
    ...{ '/k/ca.crt': 'CA', '/k/c.crt': 'CERT', '/k/c.key': 'KEY' },
  }
  const settings = { kubeconfig: ['/k/config'], apiService: undefined }
  t.same((await loadCredentials(settings, readFrom(files))).files, Object.keys(files))
})

t.test('several files, as kubectl merges them; one that is not there is none, but is looked for', async t => {
  const files = {
    '/a/config': 'clusters: [{name: k, cluster: {server: "https://first", certificate-authority: ca.crt}}]',
    '/b/config': kubeconfig(good, 'token: T'),
    '/a/ca.crt': 'CA',
  }
  const settings = { kubeconfig: ['/none/config', '/a/config', '/b/config'], apiService: undefined }
  const loaded = await loadCredentials(settings, readFrom(files))
  t.match(loaded.credentials, { server: 'https://first', caPem: 'CA', token: 'T' })
  t.strictSame(loaded.files, ['/none/config', '/a/config', '/b/config', '/a/ca.crt'])
})

t.test('random kubeconfigs are read or refused, never anything else', async t => {
  const lines = kubeconfig(good, 'token: T').split('\n')
  const junk = [
    'users:',
    '- name: x',
    'a: &a [*a]',
    'clusters: 7',
    '  cluster: null',
    'contexts: [null]',
    '!!binary x',
    '\t',
    '---',
    '"',
  ]
  const faults: string[] = []
  for (let seed = 1; seed <= 500; seed++) {
    const random = createRandom(seed)
    const text = lines.map(line => (random(4) === 0 ? (junk[random(junk.length)] ?? '') : line)).join('\n')
    try {
      await load('/k/config', readFrom({ '/k/config': text }))
    } catch (error) {
      if (!(error instanceof CredentialsError)) faults.push(`seed ${seed}: ${String(error)}`)
    }
  }
  t.strictSame(faults, [])
})
