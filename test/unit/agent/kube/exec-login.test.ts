import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CredentialsError, type KubeCredentials } from '../../../../agent/kube/credentials.ts'
import { createExecLogin } from '../../../../agent/kube/exec-login.ts'
import { followCredentials } from '../../../../agent/kube/follow-credentials.ts'
import { loadCredentials } from '../../../../agent/kube/load-credentials.ts'
import { until } from '../../../machine/wait.ts'

const SECRET = 'eyJsecret'
const soon = () => new Date(Date.now() + 3_600_000).toISOString()

/** A kubeconfig whose user logs in by a shell script beside it, which counts its runs. */
function withProgram(t: Test, script: string, exec = ''): { config: string; runs: () => readonly string[] } {
  const folder = t.testdir({
    login: `#!/bin/sh\nprintf '%s\\n' "$KUBERNETES_EXEC_INFO $SAID $*" >>"$(dirname "$0")/runs"\n${script}\n`,
    runs: '',
  })
  chmodSync(join(folder, 'login'), 0o755)
  const config = join(folder, 'config')
  writeFileSync(
    config,
    `current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: "https://h", certificate-authority-data: Q0E=}}]
users:
- name: u
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, ${exec}}
`,
  )
  return {
    config,
    runs: () =>
      readFileSync(join(folder, 'runs'), 'utf8')
        .split('\n')
        .filter(line => line !== ''),
  }
}

function answer(status: Readonly<Record<string, string>>): string {
  return `cat <<'EOF'\n${JSON.stringify({ kind: 'ExecCredential', status })}\nEOF`
}

function follow(config: string) {
  const settings = { kubeconfig: [config], apiService: undefined }
  return followCredentials({
    load: () => loadCredentials(settings, path => readFileSync(path, 'utf8')),
    stamp: async path => readFileSync(path, 'utf8'),
  })
}

t.test('a program that logs in is told what it must know, and is not run for each request', async t => {
  const exec = 'args: [a, yes, 5], env: [{name: SAID, value: on}], provideClusterInfo: true'
  const { config, runs } = withProgram(t, answer({ token: SECRET, expirationTimestamp: soon() }), exec)
  const source = await follow(config)
  for (let round = 0; round < 3; round++) t.equal((await source.current()).token, SECRET)
  const [line = '', ...more] = runs()
  t.strictSame(more, [line], 'once to begin with, and once more as the first request finds the kubeconfig new')
  const [info = '', ...rest] = line.split(' ')
  t.strictSame(rest, ['true', 'a', 'true', '5'], 'as kubectl reads them')
  t.strictSame(JSON.parse(info), {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false, cluster: { server: 'https://h', 'certificate-authority-data': 'Q0E=' } },
  })
})

t.test('what has run out is asked for anew; a program that then fails changes nothing', async t => {
  const once = `[ "$(wc -l <"$(dirname "$0")/runs")" -lt 4 ] || exit 1\nrun=$(wc -l <"$(dirname "$0")/runs")\n`
  const expired = JSON.stringify({ status: { token: 'RUN', expirationTimestamp: '2020-01-01T00:00:00Z' } })
  const { config, runs } = withProgram(t, `${once}echo '${expired}' | sed "s/RUN/token-$run/"`)
  const source = await follow(config)
  t.equal(source.last().token, 'token-1')
  // The second reads the kubeconfig again, as the first time nobody knew whether it changed meanwhile.
  const tokens = [await source.current(), await source.current(), await source.current()].map(({ token }) => token)
  t.strictSame(tokens, ['token-2', 'token-3', 'token-3'])
  t.equal(runs().length, 4)
})

t.test('a program may give a certificate', async t => {
  const { config } = withProgram(t, answer({ clientCertificateData: 'CERT', clientKeyData: 'KEY' }))
  t.match(await (await follow(config)).current(), { token: undefined, clientCertPem: 'CERT', clientKeyPem: 'KEY' })
})

interface FaultCase {
  readonly name: string
  readonly script: string
  readonly message: RegExp
}

const faultCases: readonly FaultCase[] = [
  {
    name: 'fails with a word',
    script: 'echo "who are\u001b[2J you" >&2; exit 1',
    message: /failed: "who are\\u001b\[2J you"$/,
  },
  { name: 'fails without one', script: 'exit 1', message: /gave no credentials$/ },
  { name: 'says no JSON', script: `echo ${SECRET}`, message: /gave no credentials$/ },
  { name: 'says other JSON', script: `echo '{"a":"${SECRET}"}'`, message: /gave no credentials$/ },
]

for (const { name, script, message } of faultCases) {
  t.test(`a program that ${name} is named, and nothing secret quoted`, async t => {
    const { config } = withProgram(t, script)
    const error = await follow(config).catch(error => error)
    t.ok(error instanceof CredentialsError, String(error))
    t.equal(error.code, 'LoginFailed')
    t.match(error.message, message)
    t.notMatch(`${error.message} ${error.cause}`, SECRET)
  })
}

t.test('a program that hangs is given up, and not started a second time while it does', async t => {
  const folder = t.testdir({ login: '#!/bin/sh\necho run >>"$1/runs"\nread go <"$1/gate"\n' })
  chmodSync(join(folder, 'login'), 0o755)
  execFileSync('mkfifo', [join(folder, 'gate')])
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: join(folder, 'login'), args: [folder] }
  const logIn = await createExecLogin(exec, { server: 'https://h' } as KubeCredentials, {}, 300)
  for (let round = 0; round < 2; round++)
    await t.rejects(logIn(), { code: 'LoginFailed', message: /said nothing within 0.3 s$/ })
  await until('the program to have begun', () => existsSync(join(folder, 'runs')))
  t.equal(readFileSync(join(folder, 'runs'), 'utf8'), 'run\n')
  writeFileSync(join(folder, 'gate'), 'go\n')
})

t.test('a program that is not there', async t => {
  const { config } = withProgram(t, '')
  writeFileSync(config, readFileSync(config, 'utf8').replace('./login', 'nopal-none-such'))
  await t.rejects(follow(config), { code: 'LoginFailed', message: /"nopal-none-such" cannot be run: ENOENT/ })
})
