import { execFile, execFileSync } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'

const script = join(import.meta.dirname, '../../scripts/kube-assets.sh')

/** All that the script uses of the system, so that a Go of this machine is out of its sight. */
const tools = 'awk cat cut dirname flock head mkdir mv nice mktemp rm sed sh sha256sum sleep sort uname'.split(' ')

// Notes each build and writes a program of that name after a moment, as `go build -o FILE PACKAGE` would.
const fakeGo = (version: string) => `#!/bin/sh
if [ "$1" = env ]; then echo "go${version}"; exit; fi
[ "$1" != mod ] || exit 1
while [ "$1" != -o ]; do shift; done
echo "\${2##*/} $3" >>"$GO_NOTES"
sleep 0.1
[ "$3" != k8s.io/kubernetes/cmd/kubectl ] || exit 1
printf '#!/bin/sh\\n' >"$2"
chmod +x "$2"
`

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

interface Machine {
  run(names: readonly string[], env?: Readonly<Record<string, string>>): Promise<Outcome>
  /** What Go was asked to build. */
  built(): Promise<string[]>
  readonly cache: string
}

/** A machine of its own: a PATH with the few tools, a Go of that version if any, an empty cache. */
async function makeMachine(t: Test, goVersion: string | undefined): Promise<Machine> {
  const root = t.testdir({ bin: {}, cache: {} })
  const bin = join(root, 'bin')
  for (const tool of [...tools, 'chmod']) {
    const where = execFileSync('sh', ['-c', `command -v ${tool}`])
      .toString()
      .trim()
    await symlink(where, join(bin, tool))
  }
  const notes = join(root, 'notes')
  await writeFile(notes, '')
  if (goVersion !== undefined) {
    await writeFile(join(bin, 'go'), fakeGo(goVersion))
    await chmod(join(bin, 'go'), 0o755)
  }
  const cache = join(root, 'cache')
  return {
    cache,
    run: (names, env = {}) => {
      const all = { PATH: bin, HOME: root, XDG_CACHE_HOME: cache, GO_NOTES: notes, ...env }
      return new Promise(resolve => {
        execFile(join(bin, 'sh'), [script, ...names], { env: all }, (error, out, err) => {
          resolve({ code: error === null ? 0 : Number(error.code), out, err })
        })
      })
    },
    built: async () => (await readFile(notes, 'utf8')).split('\n').filter(line => line !== ''),
  }
}

await t.test('builds what is missing, then is quick and silent', async t => {
  const machine = await makeMachine(t, '1.99.0')
  const first = await machine.run([])
  t.equal(first.code, 0)
  t.match(first.err, 'building kube-apiserver')
  const folder = first.out.trimEnd()
  t.match(folder, /\/cache\/nopal\/kube-[0-9a-f]{12}$/)
  t.same((await readdir(folder)).filter(name => !name.startsWith('.')).sort(), ['etcd', 'kube-apiserver'])
  t.notOk(
    (await readdir(folder)).some(name => name.startsWith('.building')),
    'no half-built program is left',
  )
  t.same(await machine.run([]), { code: 0, out: first.out, err: '' })
  t.same(await machine.built(), [
    'kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver',
    'etcd go.etcd.io/etcd/server/v3',
  ])
  t.match(await machine.run(['kubelet', 'etcd']), { code: 0, out: first.out })
  t.equal((await machine.built()).length, 3, 'what is there is not built again')
})

await t.test("each module has a folder of its own, and Kubernetes' own folder is for its programs alone", async t => {
  const machine = await makeMachine(t, '1.99.0')
  const env = { KUBEBUILDER_ASSETS: machine.cache }
  const coredns = await machine.run(['coredns'], env)
  t.match(coredns.out, /\/cache\/nopal\/coredns-[0-9a-f]{12}\n$/)
  t.match((await machine.run(['cnitool', 'bridge'], env)).out, /\/cache\/nopal\/cni-[0-9a-f]{12}\n$/)
  t.same(await machine.built(), [
    'coredns .',
    'cnitool github.com/containernetworking/cni/cnitool',
    'bridge github.com/containernetworking/plugins/plugins/main/bridge',
  ])
})

await t.test("a package's tests are a program, and the specs are of the cluster's own version", async t => {
  const machine = await makeMachine(t, '1.99.0')
  t.match((await machine.run(['e2e.test', 'ginkgo'])).out, /\/cache\/nopal\/conformance-[0-9a-f]{12}\n$/)
  t.same(await machine.built(), ['e2e.test k8s.io/kubernetes/test/e2e', 'ginkgo github.com/onsi/ginkgo/v2/ginkgo'])
  const modules = ['go.mod', 'conformance/go.mod'].map(file => readFile(join(import.meta.dirname, file), 'utf8'))
  const [cluster, specs] = (await Promise.all(modules)).map(text => /k8s\.io\/kubernetes (v\S+)/.exec(text)?.[1])
  t.ok(cluster !== undefined && cluster === specs, `${cluster} and ${specs}`)
})

await t.test('two at once build once', async t => {
  const machine = await makeMachine(t, '1.99.0')
  const [one, two] = await Promise.all([machine.run(['etcd']), machine.run(['etcd'])])
  t.equal(one.code, 0)
  t.same(one.out, two.out)
  t.equal((await machine.built()).length, 1)
})

await t.test('KUBEBUILDER_ASSETS wins', async t => {
  const machine = await makeMachine(t, undefined)
  const folder = join(machine.cache, 'mine')
  await mkdir(folder)
  for (const name of ['etcd', 'kube-apiserver']) await writeFile(join(folder, name), '', { mode: 0o755 })
  const env = { KUBEBUILDER_ASSETS: folder }
  t.same(await machine.run([], env), { code: 0, out: `${folder}\n`, err: '' })
  t.match(await machine.run(['kubelet'], env), { code: 1, out: '', err: `KUBEBUILDER_ASSETS=${folder} lacks: kubelet` })
})

interface RefusedRow {
  readonly name: string
  readonly go: string | undefined
  readonly programs: readonly string[]
  readonly err: RegExp
}

const refusedRows: readonly RefusedRow[] = [
  { name: 'no Go', go: undefined, programs: [], err: /Go is missing; .*\n.*no Go to build kube-apiserver etcd with/ },
  { name: 'an old Go, and no newer one to be had', go: '1.9.7', programs: ['etcd'], err: /Go 1\.9\.7 is too old/ },
  { name: 'an unknown program', go: '1.99.0', programs: ['../etcd'], err: /unknown program \.\.\/etcd \(known: etcd / },
  {
    name: 'programs of two modules',
    go: '1.99.0',
    programs: ['etcd', 'coredns'],
    err: /etcd and coredns are of two mod/,
  },
  { name: 'a build that fails', go: '1.99.0', programs: ['kubectl'], err: /go build of kubectl failed/ },
]

for (const row of refusedRows) {
  await t.test(`${row.name}: one clear message, nothing half done`, async t => {
    const machine = await makeMachine(t, row.go)
    t.match(await machine.run(row.programs), { code: 1, out: '', err: row.err })
    const made = await readdir(machine.cache, { recursive: true })
    t.notOk(
      made.some(name => /building\.|\.go-|etcd|kubectl|coredns/.test(name)),
      'no program',
    )
  })
}
