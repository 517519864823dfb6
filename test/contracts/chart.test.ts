import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { withSettingsSchema } from '../../scripts/chart-schema.ts'
import { chartFolder, renderChart, runHelm } from '../cluster/helm.ts'
import { load } from '../unit/agent/config/given.ts'
import { type Manifest, readText, readYaml } from '../unit/daemonset/manifests.ts'

/** The chart and the manifests are one: what `kubectl apply -k` makes, helm makes. */

interface Kustomization {
  readonly resources: readonly string[]
  readonly images: readonly [{ readonly name: string; readonly newTag: string }]
}

const [{ resources, images }] = readYaml('kustomization.yaml') as [Kustomization]
const image = `${images[0].name}:${images[0].newTag}`

const own = ['app.kubernetes.io/part-of', 'app.kubernetes.io/managed-by', 'helm.sh/chart']

interface Parts {
  readonly metadata: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> }
  readonly spec?: { readonly template?: PodTemplate }
}

interface PodTemplate {
  readonly metadata: { annotations?: unknown }
  readonly spec: { readonly containers: { image: string }[] }
}

/** Objects by kind and name, without what is the chart's own: labels, and the sum that restarts pods. */
function comparable(objects: readonly Manifest[]): Readonly<Record<string, unknown>> {
  const pairs = structuredClone(objects).map(object => {
    const { metadata, spec } = object as unknown as Parts
    for (const name of own) delete metadata.labels?.[name]
    delete spec?.template?.metadata.annotations
    return [`${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`, object]
  })
  return Object.fromEntries(pairs)
}

/** What `kubectl apply -k` sends of these files. */
function applied(files: readonly string[]): Readonly<Record<string, unknown>> {
  const objects = files.flatMap(file => readYaml(file) as Manifest[])
  const named = JSON.stringify(objects).replaceAll(`"image":"${images[0].name}"`, `"image":"${image}"`)
  return comparable(JSON.parse(named))
}

/** What `helm install` sends, but for the settings, which are compared as settings, and Secrets, which are the user's. */
async function installed(values: object): Promise<Readonly<Record<string, unknown>>> {
  const objects = await renderChart<Manifest>(values)
  return comparable(
    objects.filter(({ kind, metadata }) => kind !== 'ConfigMap' && kind !== 'Secret' && !isHook(metadata)),
  )
}

function isHook({ annotations = {} }: Manifest['metadata']): boolean {
  return 'helm.sh/hook' in annotations
}

const base = resources.filter(file => file !== 'namespace.yaml')

interface FeatureRow {
  readonly name: string
  readonly values: object
  readonly files: readonly string[]
}

const features: readonly FeatureRow[] = [
  { name: 'as shipped', values: {}, files: [] },
  {
    name: 'egress',
    values: { egress: { enabled: true, apiUrl: 'https://x.test', username: 'u', password: 'p' } },
    files: ['egress/rights.yaml'],
  },
  { name: 'pool', values: { pool: { enabled: true, token: 'T' } }, files: ['pool/rights.yaml'] },
  { name: 'workers', values: { remedy: { workers: true } }, files: ['remedy/workers.yaml'] },
  {
    name: 'workers and deletion',
    values: { remedy: { workers: true, deleteFailedNodes: true } },
    files: ['remedy/workers.yaml', 'remedy/delete/rights.yaml'],
  },
]

for (const { name, values, files } of features) {
  t.test(`${name}: the chart makes the objects of the manifests`, async t => {
    t.same(await installed(values), applied([...base, ...files]))
  })
}

interface SettingsMap extends Manifest {
  readonly data: { readonly 'nopal.ini': string }
}

/** The settings that agents and leader read. */
async function settingsOf(values: object) {
  const objects = await renderChart<Manifest>(values)
  const map = objects.find(({ kind }) => kind === 'ConfigMap') as SettingsMap
  return load({ env: { NODE_NAME: 'n1', POD_NAMESPACE: 'nopal' }, ini: map.data['nopal.ini'] }).settings
}

t.test('the settings are those of nopal.ini', async t => {
  const plain = load({ env: { NODE_NAME: 'n1', POD_NAMESPACE: 'nopal' }, ini: readText('nopal.ini') })
  t.same(await settingsOf({}), plain.settings)
})

t.test('the packaged chart, whose links are files, makes the same objects', async t => {
  const folder = t.testdir({})
  const { code, stderr } = await runHelm(['package', chartFolder, '--destination', folder])
  t.equal(code, 0, stderr)
  const [file = ''] = await readdir(folder)
  const all = ['--namespace', 'nopal', '--set', 'remedy.workers=true,monitoring.dashboard.enabled=true']
  const packaged = await runHelm(['template', 'nopal', join(folder, file), ...all])
  t.equal(packaged.code, 0, packaged.stderr)
  t.equal(packaged.stdout, (await runHelm(['template', 'nopal', chartFolder, ...all])).stdout)
})

t.test('the version is that of the product', async t => {
  const [chart] = readYaml('chart/Chart.yaml') as { version: string; appVersion: string }[]
  const { version } = JSON.parse(await readFile(join(chartFolder, '../../package.json'), 'utf8'))
  t.match(chart, { version, appVersion: version })
})

t.test('the schema knows the settings that there are', async t => {
  const text = await readFile(join(chartFolder, 'values.schema.json'), 'utf8')
  t.same(JSON.parse(text), JSON.parse(withSettingsSchema(text)), 'else run node scripts/chart-schema.ts')
})

t.test('helm lint finds nothing', async t => {
  const { code, stdout } = await runHelm(['lint', '--strict', chartFolder])
  t.equal(code, 0, stdout)
  t.notMatch(stdout, /WARNING|ERROR/)
})
