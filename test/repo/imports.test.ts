import { glob, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'

const root = join(import.meta.dirname, '../..')

interface Import {
  readonly from: string
  /** A path below the root for our own files, else the name of a package. */
  readonly to: string
  readonly typesOnly: boolean
}

/** Every import of a file; `import type` and lists of `type` names load nothing at run time. */
function readImports(file: string, text: string): readonly Import[] {
  const statements = text.matchAll(/^(?:import|export)\s(?<what>[^'"=();]*?)\bfrom\s*['"](?<to>[^'"]+)['"]/gm)
  const dynamic = text.matchAll(/\bimport\((?<what>\s*)['"](?<to>[^'"]+)['"]\)/g)
  return [...statements, ...dynamic].map(({ groups }) => {
    const { what = '', to = '' } = groups ?? {}
    const names =
      /\{(?<list>[^}]*)\}/
        .exec(what)
        ?.groups?.list?.split(',')
        .filter(name => name.trim() !== '') ?? []
    const typesOnly = what.startsWith('type ') || (names.length > 0 && names.every(name => /^\s*type\s/.test(name)))
    return { from: file, to: to.startsWith('.') ? normalize(join(dirname(file), to)) : to, typesOnly }
  })
}

async function readAll(...folders: readonly string[]): Promise<readonly Import[]> {
  const patterns = folders.map(folder => `${folder}/**/*.ts`)
  const files = await Array.fromAsync(glob(patterns, { cwd: root }))
  const imports = await Promise.all(
    files.map(async file => readImports(file, await readFile(join(root, file), 'utf8'))),
  )
  return imports.flat()
}

const room = (path: string): string => path.split('/').slice(0, 2).join('/')
const own = (path: string): boolean => path.startsWith('agent/') || path.startsWith('cni/')

/** Rooms of agent/ that every other may use; the features meet in main.ts, in the roles and in commands. */
const commonRooms = new Set(['agent/runtime', 'agent/kube', 'agent/config', 'agent/verdict', 'agent/sandbox'])
const compositionRooms = new Set(['agent/main.ts', 'agent/commands', 'agent/node', 'agent/lead'])
const sharedWithAgent = new Set(['cni/spec', 'cni/networks', 'cni/host'])

const rules: readonly { name: string; broken: (one: Import) => boolean }[] = [
  { name: 'cni/ knows nothing of agent/', broken: i => i.from.startsWith('cni/') && i.to.startsWith('agent/') },
  {
    name: 'agent/ uses only the shared rooms of cni/',
    broken: i => i.from.startsWith('agent/') && i.to.startsWith('cni/') && !sharedWithAgent.has(room(i.to)),
  },
  {
    name: 'nobody imports cni/kactus',
    broken: i => room(i.to) === 'cni/kactus' && room(i.from) !== 'cni/kactus',
  },
  {
    name: 'features of agent/ share types only',
    broken: i =>
      !i.typesOnly &&
      i.from.startsWith('agent/') &&
      i.to.startsWith('agent/') &&
      room(i.from) !== room(i.to) &&
      !commonRooms.has(room(i.to)) &&
      !compositionRooms.has(room(i.from)),
  },
  {
    name: 'common rooms know no feature',
    broken: i =>
      !i.typesOnly && commonRooms.has(room(i.from)) && i.to.startsWith('agent/') && !commonRooms.has(room(i.to)),
  },
  {
    name: 'kactus bundles nothing but itself, valibot and js-yaml',
    broken: i =>
      i.from.startsWith('cni/') &&
      !i.typesOnly &&
      !own(i.to) &&
      !i.to.startsWith('node:') &&
      !['valibot', 'js-yaml'].includes(i.to),
  },
  {
    name: 'one module reads YAML',
    broken: i => own(i.from) && i.to === 'js-yaml' && i.from !== 'cni/host/yaml.ts',
  },
  {
    name: 'kactus reads kubeconfigs in one module, and no other YAML',
    broken: i =>
      (i.to === 'cni/host/yaml.ts' && i.from.startsWith('cni/') && i.from !== 'cni/host/kubeconfig.ts') ||
      (i.to === 'cni/host/kubeconfig.ts' && i.from.startsWith('cni/') && i.from !== 'cni/kactus/kubeconfig.ts'),
  },
  {
    name: 'source never imports tests or scripts',
    broken: i => i.to.startsWith('test/') || i.to.startsWith('scripts/'),
  },
]

const imports = await readAll('agent', 'cni')
t.ok(imports.length > 50, 'the reader finds the imports')
for (const rule of rules) {
  const found = imports.filter(rule.broken).map(one => `${one.from} -> ${one.to}`)
  t.strictSame(found, [], rule.name)
}

t.test('one file of kactus knows the keys of a kubeconfig, and of the agent those that write some', async t => {
  const keys = /['"](?:current-context|certificate-authority(?:-data)?|client-certificate(?:-data)?)['"]/
  const files = await Array.fromAsync(glob(['cni/**/*.ts', 'agent/**/*.ts'], { cwd: root }))
  const texts = await Promise.all(files.map(file => readFile(join(root, file), 'utf8')))
  t.strictSame(files.filter((_, at) => keys.test(texts[at] ?? '')).sort(), [
    'agent/install/kubeconfig.ts',
    // What a program to log in with is told of the cluster.
    'agent/kube/exec-login.ts',
    'cni/host/kubeconfig.ts',
  ])
})

/** Files of which each imports the next and the last the first; undefined = there are none. */
function findCircle(all: readonly Import[]): readonly string[] | undefined {
  const targets = Map.groupBy(all, ({ from }) => from)
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return path.slice(path.indexOf(file))
    if (done.has(file)) return undefined
    for (const { to } of targets.get(file) ?? []) {
      const circle = visit(to, [...path, file])
      if (circle !== undefined) return circle
    }
    done.add(file)
    return undefined
  }
  for (const file of targets.keys()) {
    const circle = visit(file, [])
    if (circle !== undefined) return circle
  }
  return undefined
}

t.test('no files import each other in a circle, not even types', async t => {
  const line = (from: string, to: string): Import => ({ from, to, typesOnly: true })
  t.strictSame(findCircle([line('a', 'b'), line('b', 'c'), line('d', 'b'), line('c', 'b')]), ['b', 'c'])
  t.equal(findCircle([line('a', 'b'), line('a', 'c'), line('b', 'c')]), undefined)
  t.equal(findCircle(await readAll('agent', 'cni', 'scripts', 'test')), undefined)
})
