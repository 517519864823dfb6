import t from 'tap'
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

/** The objects of the files. */
function asApplied(files: readonly string[]): readonly Manifest[] {
  return files.flatMap(file => readYaml(file) as Manifest[])
}

const titleOf = ({ kind, metadata }: Manifest) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`

/** An object without what only one of the two ways has. */
function comparable(object: Manifest): unknown {
  const copy = structuredClone(object) as unknown as {
    metadata: { labels?: Record<string, string>; annotations?: Record<string, string> }
    spec?: { template?: { metadata: { annotations?: unknown }; spec: { containers: { image: string }[] } } }
  }
  const { labels = {} } = copy.metadata
  for (const name of ['app.kubernetes.io/part-of', 'app.kubernetes.io/managed-by', 'helm.sh/chart']) delete labels[name]
  const template = copy.spec?.template
  if (template !== undefined) {
    delete template.metadata.annotations
    for (const container of template.spec.containers) container.image = image
  }
  return copy
}

const byTitle = (objects: readonly Manifest[]) =>
  Object.fromEntries(objects.map(object => [titleOf(object), comparable(object)]))

const base = resources.filter(file => file !== 'namespace.yaml')
const withoutSettings = (objects: readonly Manifest[]) => objects.filter(({ kind }) => kind !== 'ConfigMap')

interface FeatureRow {
  readonly name: string
  readonly values: object
  readonly files: readonly string[]
}

const features: readonly FeatureRow[] = [
  { name: 'as shipped', values: {}, files: [] },
  {
    name: 'egress',
    values: { egress: { enabled: true, existingSecret: 'nopal-netmaker' } },
    files: ['egress/rights.yaml'],
  },
  { name: 'pool', values: { pool: { enabled: true, existingSecret: 'nopal-hcloud' } }, files: ['pool/rights.yaml'] },
  { name: 'workers', values: { remedy: { workers: true } }, files: ['remedy/workers.yaml'] },
  {
    name: 'workers and deletion',
    values: { remedy: { workers: true, deleteFailedNodes: true } },
    files: ['remedy/workers.yaml', 'remedy/delete/rights.yaml'],
  },
]

for (const { name, values, files } of features) {
  t.test(`${name}: the chart makes the objects of the manifests`, async t => {
    const rendered = byTitle(withoutSettings(await renderChart<Manifest>(values)))
    const applied = byTitle(asApplied([...base, ...files]))
    // A Secret that is named must be there; in the manifests each may be absent.
    const texts = [rendered, applied].map(objects =>
      JSON.parse(JSON.stringify(objects).replaceAll(',"optional":true', '')),
    )
    t.same(texts[0], texts[1])
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

t.test('helm lint finds nothing', async t => {
  const { code, stdout } = await runHelm(['lint', '--strict', chartFolder])
  t.equal(code, 0, stdout)
  t.notMatch(stdout, /WARNING|ERROR/)
})
