import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { MAX_CONFIG_VALUES } from '../../cni/networks/bounds.ts'
import { type ApiServer, startApiServer } from '../cluster/api-server.ts'
import { documentOf, KactusBed, programs } from './kactus-bed.ts'

// Whatever the cluster holds, kactus stays small: measured on the real executable.

const KiB = 1024
const MOST_MB = 100
const timeProgram = '/usr/bin/time'

interface Network {
  readonly name: string
  readonly config: string
  /** Of an annotation that kactus has no use for. */
  readonly ballast?: number
}

interface Crowd {
  readonly name: string
  readonly networks: readonly Network[]
  /** As multus' users write them; undefined = each once. */
  readonly asks?: string
  readonly podBallast?: number
  /** undefined = it is served. */
  readonly refused?: RegExp
}

const numbered = (count: number, make: (name: string) => Network) =>
  Array.from({ length: count }, (_none, at) => make(`n${at}`))
const padded = (bytes: number) => `{"type":"fake-b"}${' '.repeat(bytes - 17)}`
/** As many values as may be, and a number that must be kept as it stands. */
const dense = (values: number) => `{"type":"fake-b","x":[1.0${',[]'.repeat(values - 8)}]}`

const crowds: readonly Crowd[] = [
  {
    name: '64 networks of 1 MiB',
    networks: numbered(64, name => ({ name, config: padded(KiB * KiB) })),
    refused: /too large an object/,
  },
  {
    name: '64 networks of 65 KiB',
    networks: numbered(64, name => ({ name, config: padded(65 * KiB) })),
    refused: /larger than 64 KiB/,
  },
  {
    name: '64 networks of more values than may be',
    networks: numbered(64, name => ({ name, config: dense(20_000) })),
    refused: /more than \d+ values/,
  },
  {
    name: '64 networks of as many values as may be',
    networks: numbered(64, name => ({ name, config: dense(MAX_CONFIG_VALUES) })),
    refused: /larger than 1024 KiB/,
  },
  {
    name: '15 networks of as many values as may be',
    networks: numbered(15, name => ({ name, config: dense(MAX_CONFIG_VALUES) })),
  },
  { name: '60 networks of 1,300 values', networks: numbered(60, name => ({ name, config: dense(1300) })) },
  {
    name: '64 small networks with large annotations',
    networks: numbered(64, name => ({ name, config: padded(KiB), ballast: 240 * KiB })),
  },
  {
    name: 'one network of 60 KiB 64 times',
    networks: [{ name: 'n0', config: padded(60 * KiB) }],
    asks: Array.from({ length: 64 }, (_none, at) => `n0@i${at}`).join(','),
    refused: /larger than 1024 KiB/,
  },
  {
    name: 'arguments for a chain of 16',
    networks: [{ name: 'n0', config: JSON.stringify({ plugins: Array(16).fill({ type: 'fake-b' }) }) }],
    asks: JSON.stringify([{ name: 'n0', 'cni-args': { x: 'x'.repeat(200 * KiB) } }]),
    refused: /larger than 1024 KiB/,
  },
  { name: 'a pod of 1.3 MiB', networks: [{ name: 'n0', config: padded(KiB) }], podBallast: 1300 * KiB },
]

const asksOf = ({ networks, asks }: Crowd) => asks ?? networks.map(({ name }) => name).join(',')
const objectOf = (namespace: string, { name, config, ballast = 0 }: Network) => ({
  apiVersion: 'k8s.cni.cncf.io/v1',
  kind: 'NetworkAttachmentDefinition',
  metadata: { name, namespace, ...(ballast > 0 && { annotations: { ballast: 'x'.repeat(ballast) } }) },
  spec: { config },
})

async function put(server: ApiServer, path: string, body: unknown): Promise<void> {
  const { code } = await server.send({ method: 'POST', path, body })
  if (code !== 201) throw new Error(`POST ${path}: ${code}`)
}

/** Each crowd in a namespace of its own, with a pod that asks for it. */
/** Nobody makes accounts here, and a pod would need one. */
const flags = ['--disable-admission-plugins=ServiceAccount']

async function seed(server: ApiServer): Promise<void> {
  for (const [at, crowd] of crowds.entries()) {
    const namespace = `crowd-${at}`
    await put(server, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    const path = `/apis/k8s.cni.cncf.io/v1/namespaces/${namespace}/network-attachment-definitions`
    for (const network of crowd.networks) await put(server, path, objectOf(namespace, network))
    const metadata = { name: 'p', annotations: { 'k8s.v1.cni.cncf.io/networks': asksOf(crowd) } }
    const env = [{ name: 'BALLAST', value: 'x'.repeat(crowd.podBallast ?? 0) }]
    const body = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'c', image: 'i', env }] } }
    await put(server, `/api/v1/namespaces/${namespace}/pods`, body)
  }
}

t.test('what kactus holds is bounded, by the API way and by the agent', async t => {
  t.ok(existsSync(timeProgram), `${timeProgram} measures: Debian has it in package time`)
  const server = await startApiServer({ kind: 'real', run: 'kactus-bounds', flags })
  t.teardown(() => server.stop())
  await seed(server)
  for (const program of programs) {
    t.test(basename(program), async t => {
      const bed = await KactusBed.make(t, program)
      const ways = { API: bed.conf({ agentSocket: '', kubeconfig: server.adminKubeconfig }), agent: bed.conf() }
      for (const [at, crowd] of crowds.entries()) {
        tellAgent(bed, `crowd-${at}`, crowd)
        await attachAndDetach(t, bed, { ...crowd, name: `${crowd.name}, API` }, { conf: ways.API, at })
        if (crowd.podBallast !== undefined) continue
        const conf = { ...ways.agent, kubeconfig: server.adminKubeconfig }
        await attachAndDetach(t, bed, { ...crowd, name: `${crowd.name}, agent` }, { conf, at })
      }
      t.same([bed.held(), bed.state()], [[], []])
    })
  }
})

function tellAgent(bed: KactusBed, namespace: string, crowd: Crowd): void {
  bed.agent.putPod(namespace, 'p', { uid: 'u', annotations: { 'k8s.v1.cni.cncf.io/networks': asksOf(crowd) } })
  for (const network of crowd.networks) {
    const object = objectOf(namespace, { ...network, ballast: 0 })
    bed.agent.putNetwork('NetworkAttachmentDefinition', namespace, network.name, object)
  }
}

async function attachAndDetach(
  t: Test,
  bed: KactusBed,
  { name, networks, refused }: Crowd,
  { conf, at }: { readonly conf: unknown; readonly at: number },
): Promise<void> {
  const measured = join(bed.folder, 'rss')
  bed.prefix = [timeProgram, '-q', '-f', '%M', '-o', measured]
  const megabytes = () => Number(readFileSync(measured, 'utf8').trim()) / 1000
  const args = `IgnoreUnknown=1;K8S_POD_NAMESPACE=crowd-${at};K8S_POD_NAME=p`
  const answer = await bed.run('ADD', { conf, args })
  t.ok(megabytes() < MOST_MB, `${name}: ADD ${megabytes()} MB`)
  if (refused === undefined) t.equal(answer.code, 0, `${name}: ${answer.stdout.slice(0, 300)}`)
  else t.match(documentOf(answer), { code: 7, msg: refused }, name)
  t.equal(bed.held().length, refused === undefined ? networks.length + 1 : 0, name)
  t.equal((await bed.run('DEL', { conf, args })).code, 0)
  t.ok(megabytes() < MOST_MB, `${name}: DEL ${megabytes()} MB`)
}
