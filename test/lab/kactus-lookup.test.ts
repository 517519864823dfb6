import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import t from 'tap'
import { type ApiServer, startApiServer } from '../cluster/api-server.ts'
import { type Fault, startFaultProxy } from '../fakes/fault-proxy/start.ts'
import { until } from '../machine/wait.ts'
import { documentOf, KactusBed, programs } from './kactus-bed.ts'

const green = 'net9f27410725ab'
const podPath = '/api/v1/namespaces/default/pods/p1'
const networkPath = (namespace: string, name: string) => `/apis/kaloom.com/v1/namespaces/${namespace}/networks/${name}`

/** What goes wrong on the way to the API, and what is said of it. */
const faults: readonly (readonly [string, Fault, RegExp])[] = [
  ['refused', { does: 'refuse' }, /cannot be reached/],
  ['reset', { does: 'reset' }, /cannot be reached/],
  ['half a body', { does: 'halfBody' }, /cannot be reached|no JSON/],
  ['401', { does: 'answer', code: 401 }, /401/],
  ['403', { does: 'answer', code: 403 }, /403/],
  ['500', { does: 'answer', code: 500 }, /500/],
  ['429', { does: 'answer', code: 429, retryAfterSeconds: 1 }, /429/],
]

async function put(server: ApiServer, path: string, body: unknown): Promise<void> {
  const { code } = await server.send({ method: 'POST', path, body })
  if (code !== 201) throw new Error(`POST ${path}: ${code}`)
}

/** Nobody makes accounts here, and a pod would need one. */
const flags = ['--disable-admission-plugins=ServiceAccount']

async function seed(server: ApiServer): Promise<void> {
  await put(server, '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'kactus-test' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', namespace: 'kube-system', name: 'kactus-test' }],
  })
  await put(server, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } })
  for (const [namespace, name, type] of [
    ['default', 'green', 'fake-b'],
    ['default', 'blue', 'fake-c'],
    ['team', 'green', 'fake-c'],
  ]) {
    const body = {
      apiVersion: 'kaloom.com/v1',
      kind: 'Network',
      metadata: { name },
      spec: { plugin: type, config: `{"cniVersion":"1.0.0"}` },
    }
    await put(server, `/apis/kaloom.com/v1/namespaces/${namespace}/networks`, body)
  }
  for (const [namespace, name, networks] of [
    ['default', 'p1', [{ name: 'green' }]],
    ['default', 'p2', [{ name: 'none-such' }]],
    ['team', 'p3', [{ name: 'green' }]],
    ['team', 'p4', [{ name: 'blue' }]],
    ['default', 'p5', [{ name: 'green', namespace: 'team' }]],
  ] as const) {
    const metadata = { name, annotations: { networks: JSON.stringify(networks) } }
    const body = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'c', image: 'i' }] } }
    await put(server, `/api/v1/namespaces/${namespace}/pods`, body)
  }
}

const podArgs = (namespace: string, name: string) =>
  `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name}`

t.test('lookup over the API', async t => {
  const server = await startApiServer({ kind: 'real', run: 'kactus-lookup', flags })
  const proxy = await startFaultProxy(server)
  t.teardown(async () => {
    await proxy.stop()
    await server.stop()
  })
  await seed(server)
  const direct = server.adminKubeconfig
  const faulty = await proxy.kubeconfigFor('kube-system', 'kactus-test')
  const asked = async () =>
    (await server.requests()).filter(({ userAgent }) => userAgent === 'kactus').map(({ path }) => path)

  for (const program of programs) {
    t.test(basename(program), async t => {
      const bed = await KactusBed.make(t, program)
      const conf = bed.conf({ agentSocket: '', kubeconfig: direct })
      const add = (namespace: string, name: string, more: object = {}) =>
        bed.run('ADD', { conf: { ...conf, ...more }, args: podArgs(namespace, name), container: name })

      t.test('the pod, then its networks, and nothing else', async t => {
        const before = (await asked()).length
        t.equal((await add('default', 'p1')).code, 0)
        t.same((await asked()).slice(before), [podPath, networkPath('default', 'green')])
        t.equal((await bed.run('DEL', { conf, container: 'p1' })).code, 0)
        t.equal((await asked()).length, before + 2, 'DEL asks nothing')
      })

      t.test("the pod's own namespace comes before default; another's is refused unless shared", async t => {
        t.equal((await add('team', 'p3')).code, 0)
        t.match(bed.calls().at(-1), { plugin: 'fake-c', ifname: green })
        t.equal((await add('team', 'p4')).code, 0, 'from default, as the own namespace has none')
        const before = (await asked()).length
        t.match(documentOf(await add('default', 'p5')), { code: 110, msg: /team\/green.*not shared/ })
        t.same((await asked()).slice(before), ['/api/v1/namespaces/default/pods/p5'], 'and not even looked at')
        t.equal((await add('default', 'p5', { sharedNamespaces: ['team'] })).code, 0)
        for (const container of ['p3', 'p4', 'p5']) t.equal((await bed.run('DEL', { conf, container })).code, 0)
        t.same([bed.held(), bed.state()], [[], []])
      })

      t.test('what is not there is named', async t => {
        t.match(documentOf(await add('default', 'p2')), { code: 103, msg: /none-such/ })
        t.match(documentOf(await add('default', 'ghost')), { code: 102, msg: /default\/ghost/ })
        const args = `${podArgs('default', 'p1')};K8S_POD_UID=11111111-1111-1111-1111-111111111111`
        t.match(documentOf(await bed.run('ADD', { conf, args })), { code: 108 })
        t.same([bed.held(), bed.state()], [[], []])
      })

      for (const [name, fault, says] of faults) {
        t.test(`${name}: ADD fails with one sentence and leaves nothing; DEL works`, async t => {
          await proxy.set(fault)
          const answer = await add('default', 'p1', { kubeconfig: faulty })
          t.match(documentOf(answer), { code: 104, msg: says })
          t.same([bed.held(), bed.state()], [[], []])
          await proxy.clear()
          t.equal((await add('default', 'p1', { kubeconfig: faulty })).code, 0)
          await proxy.set(fault)
          const del = await bed.run('DEL', {
            conf: { ...conf, kubeconfig: faulty },
            container: 'p1',
            args: podArgs('default', 'p1'),
          })
          await proxy.clear()
          t.same([del.code, del.stdout], [0, ''])
          t.same([bed.held(), bed.state()], [[], []])
        })
      }

      t.test('no answer: the ADD ends by itself, and all beside it has ended before', async t => {
        const newest = { cniVersion: '1.1.0', delegates: [{ type: 'fake-a', name: 'main', cniVersion: '1.1.0' }] }
        t.equal((await add('team', 'p3', newest)).code, 0)
        t.equal((await add('team', 'p4', newest)).code, 0)
        await proxy.set({ does: 'hang' })
        const config = { ...conf, ...newest, kubeconfig: faulty }
        const ended: string[] = []
        const run = async (name: string, command: string, options: object) => {
          const answer = await bed.run(command, { conf: config, ...options })
          ended.push(name)
          return answer
        }
        const hanging = run('the one that hangs', 'ADD', { args: podArgs('default', 'p1'), container: 'p1' })
        await until('the API to be asked', async () => (await proxy.hits())[0] === 1)
        const valid = ['p3', 'p4', 'p5'].map(containerID => ({ containerID, ifname: 'eth0' }))
        const beside = await Promise.all([
          run('GC', 'GC', { conf: { ...config, 'cni.dev/valid-attachments': valid } }),
          run('DEL', 'DEL', { args: podArgs('team', 'p4'), container: 'p4' }),
          run('ADD', 'ADD', { conf: { ...conf, ...newest }, args: podArgs('team', 'p4'), container: 'p5' }),
        ])
        t.same(
          beside.map(({ code }) => code),
          [0, 0, 0],
        )
        t.match(documentOf(await hanging), { code: 104, msg: /in time/ })
        t.equal(ended.length, 4)
        t.equal(ended.at(-1), 'the one that hangs')
        for (const container of ['p1', 'p3', 'p5']) {
          const del = await run('DEL', 'DEL', { args: podArgs('default', 'p1'), container })
          t.same([del.code, del.stdout], [0, ''])
        }
        await proxy.clear()
        t.same([bed.held(), bed.state()], [[], []])
      })

      t.test('the environment names no proxy and lifts no check of certificates', async t => {
        const env = {
          HTTPS_PROXY: 'http://127.0.0.1:1',
          https_proxy: 'http://127.0.0.1:1',
          NODE_TLS_REJECT_UNAUTHORIZED: '0',
        }
        const args = podArgs('default', 'p1')
        t.equal((await bed.run('ADD', { conf, args, env })).code, 0)
        t.equal((await bed.run('DEL', { conf })).code, 0)
        const stranger = join(bed.folder, 'stranger.yaml')
        const other = await startApiServer({ kind: 'real', run: 'kactus-other' })
        t.teardown(() => other.stop())
        const text = readFileSync(direct, 'utf8').replace(server.url, other.url)
        await writeFile(stranger, text)
        const answer = await bed.run('ADD', { conf: { ...conf, kubeconfig: stranger }, args, env })
        t.match(documentOf(answer), { code: 104, msg: /cannot be reached: .*(CERT|SIGNATURE|VERIFY)/ })
      })

      t.test('the network fails where the pod did not: nothing has run', async t => {
        await proxy.set({ does: 'answer', code: 500, path: '/networks/' })
        await bed.forgetCalls()
        t.match(documentOf(await add('default', 'p1', { kubeconfig: faulty })), { code: 104 })
        await proxy.clear()
        t.same(bed.calls(), [])
      })

      t.test('the agent answers: 0 requests; it does not know, lies, is silent, is gone: the API is asked', async t => {
        const withAgent = bed.conf({ kubeconfig: direct })
        const attach = async (name: string, args: string) => {
          const before = (await asked()).length
          const answer = await bed.run('ADD', { conf: withAgent, args })
          t.equal(answer.code, 0, `${name}: ${answer.stdout}`)
          t.same(bed.held().length, 2, name)
          t.equal((await bed.run('DEL', { conf: withAgent })).code, 0)
          return (await asked()).length - before
        }
        const once = async (name: string, requests: number, args = podArgs('default', 'p1')) => {
          // The agent lives in this process, which may be too busy to answer in time: then it was as good as silent.
          const fewest = await until(`${name}: ${requests} requests`, async () => {
            const found = await attach(name, args)
            return found <= requests && { found }
          })
          t.equal(fewest.found, requests, `${name}: requests`)
        }
        await once('it does not know the pod', 2)
        bed.putPod([{ name: 'green' }])
        await once('it does not know the network', 1)
        bed.putNetwork('green')
        await once('it knows all', 0)
        const { body } = await server.send({ method: 'GET', path: podPath })
        const { uid } = (body as { metadata: { uid: string } }).metadata
        await once('it knows another pod of that name', 2, `${podArgs('default', 'p1')};K8S_POD_UID=${uid}`)
        for (const lie of [
          '\n',
          'rubbish\n',
          '{"nopal":99,"known":true}\n',
          '{"nopal":1,"known":true,"pod":5,"networks":[]}\n',
          `${'['.repeat(9999)}\n`,
          '{"nopal":1',
        ]) {
          bed.agent.says = lie
          await once(`it says ${JSON.stringify(lie.slice(0, 20))}`, 2)
        }
        bed.agent.says = 'silence'
        await once('it is silent', 2)
        await bed.agent.stop()
        await once('it is gone', 2)
        await writeFile(bed.agent.path, '')
        await once('a file lies there', 2)
      })
    })
  }
})

t.test('a kubeconfig as kubectl and people write it', async t => {
  const server = await startApiServer({ kind: 'real', run: 'kactus-config', flags })
  t.teardown(() => server.stop())
  await seed(server)
  for (const program of programs) {
    const bed = await KactusBed.make(t, program)
    const token = join(bed.folder, 'token')
    const { token: bearer = '' } = await server.targetFor('kube-system', 'kactus-test')
    await writeFile(token, `${bearer}\n`)
    const file = join(bed.folder, 'config.yaml')
    await writeFile(
      file,
      `# by hand
apiVersion: v1
kind: Config
preferences: {}
current-context: "a"
clusters:
  - name: c
    cluster: {}
  - cluster:
      server: '${server.url.replace('127.0.0.1', 'localhost')}'   # by another name
      certificate-authority: ${server.caFile}
      tls-server-name: kubernetes.default
    name: d
users:
- name: u
  user:
    tokenFile: ./token
contexts:
- context:
    cluster: d
    user: u
    namespace: x
  name: a
`,
    )
    const answer = await bed.run('ADD', {
      conf: bed.conf({ agentSocket: '', kubeconfig: file }),
      args: podArgs('default', 'p1'),
    })
    t.equal(answer.code, 0, `${answer.stdout}`)
    const wrong = join(bed.folder, 'wrong.yaml')
    await writeFile(wrong, 'users:\n- name: u\n  user:\n    token: [secret-text\n')
    const bad = documentOf(
      await bed.run('ADD', {
        conf: bed.conf({ agentSocket: '', kubeconfig: wrong }),
        args: podArgs('default', 'p1'),
        container: 'x',
      }),
    )
    t.match(bad, { code: 104, msg: /wrong\.yaml is no kubeconfig: line \d is no YAML/ })
    t.notMatch(JSON.stringify(bad), 'secret-text')
  }
})
