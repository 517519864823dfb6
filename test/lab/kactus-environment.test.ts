import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { findBun } from '../../scripts/pack-bun.ts'
import { setStart } from '../../scripts/program-start.ts'
import { type ApiServer, startApiServer } from '../cluster/api-server.ts'
import { collect } from '../machine/command.ts'
import { type Answer, KactusBed, programs } from './kactus-bed.ts'
import { listedFolder } from './listed-folder.ts'

/** What a whole ADD did beside its work. */
interface Effects {
  readonly exitCode: number
  /** Stdout was one JSON document. */
  readonly answered: boolean
  readonly stderr: string
  /** Files that came into the trap. */
  readonly made: readonly string[]
  /** Connections to the socket in the trap. */
  readonly connections: number
}

const nothing: Effects = { exitCode: 0, answered: true, stderr: '', made: [], connections: 0 }

/** A variable with a value that makes an engine do what kactus was not asked for; TRAP stands for a folder. */
type Attack = readonly [name: string, value: string]

/** What the engine of each executable obeys, by the executable's name. */
const attacks: Readonly<Record<string, readonly Attack[]>> = {
  kactus: [
    ['BUN_BE_BUN', '1'],
    ['BUN_OPTIONS', '--preload TRAP/evil.cjs'],
    ['BUN_INSPECT', 'unix://TRAP/trap.sock'],
    ['BUN_INSPECT_CONNECT_TO', 'unix://TRAP/trap.sock'],
    ['BUN_BYTECODE_DIGEST_OUT', 'TRAP/written'],
    ['BUN_BYTECODE_ORDER_OUT', 'TRAP/written'],
    ['BUN_CONFIG_VERBOSE_FETCH', 'curl'],
    ['BUN_CONFIG_MAX_HTTP_REQUESTS', 'x'],
    ['BUN_JSC_dumpOptions', '2'],
    ['BUN_JSC_logGC', '2'],
    ['BUN_JSC_noSuchOption', '1'],
    ['MIMALLOC_VERBOSE', '1'],
    ['NODE_EXTRA_CA_CERTS', 'TRAP/none-such'],
  ],
  'kactus-pkg': [
    ['OPENSSL_CONF', 'TRAP/openssl.cnf'],
    ['NODE_V8_COVERAGE', 'TRAP/written'],
    ['NODE_COMPILE_CACHE', 'TRAP/written'],
    ['NODE_DEBUG', '*'],
    ['NODE_DEBUG_NATIVE', 'MKSNAPSHOT'],
    ['NODE_TLS_REJECT_UNAUTHORIZED', '0'],
    ['NODE_UNIQUE_ID', '1'],
    ['NODE_EXTRA_CA_CERTS', 'TRAP/none-such'],
  ],
}

/** A folder that notices what is done in it. */
class Trap {
  readonly folder: string
  connections = 0
  readonly #door: Server

  private constructor(folder: string) {
    this.folder = folder
    this.#door = createServer(socket => {
      this.connections++
      socket.destroy()
    })
  }

  static async make(t: Test): Promise<Trap> {
    const trap = new Trap(await listedFolder(t))
    await trap.set()
    await new Promise<void>(resolve => trap.#door.listen(join(trap.folder, 'trap.sock'), resolve))
    t.teardown(() => trap.#door.close())
    return trap
  }

  /** As it was in the beginning. */
  async set(): Promise<void> {
    this.connections = 0
    for (const name of this.made()) await rm(join(this.folder, name), { recursive: true })
    const evil = join(this.folder, 'evil')
    const program = `require('node:fs').writeFileSync(${JSON.stringify(evil)}, '')\n`
    await writeFile(join(this.folder, 'evil.cjs'), program)
    await writeFile(join(this.folder, 'bunfig.toml'), 'preload = ["./evil.cjs"]\n')
    await writeFile(join(this.folder, '.env'), 'CNI_COMMAND=VERSION\nEVIL=1\n')
    await writeFile(join(this.folder, '.bunfig.toml'), 'preload = ["./evil.cjs"]\n')
    await writeFile(join(this.folder, 'package.json'), '{ "type": "commonjs", "main": "./evil.cjs" }\n')
    await writeFile(join(this.folder, 'tsconfig.json'), '{ "compilerOptions": { "paths": { "*": ["./evil.cjs"] } } }\n')
    // OpenSSL loads the module that this names, and fails when it cannot.
    const engine = 'nodejs_conf = a\n[a]\nengines = b\n[b]\nc = d\n[d]\ndynamic_path = /none/such.so\ninit = 1\n'
    await writeFile(join(this.folder, 'openssl.cnf'), engine)
  }

  made(): readonly string[] {
    const known = ['evil.cjs', 'bunfig.toml', '.env', '.bunfig.toml', 'package.json', 'tsconfig.json', 'openssl.cnf']
    return readdirSync(this.folder).filter(name => ![...known, 'trap.sock'].includes(name))
  }

  effectsOf({ code, stdout, stderr }: Answer): Effects {
    return { exitCode: code, answered: isDocument(stdout), stderr, made: this.made(), connections: this.connections }
  }
}

function isDocument(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object'
  } catch {
    return false
  }
}

/** Runs ADDs that use all there is: stdin, two plugins, and the API over HTTPS. */
class Victim {
  readonly bed: KactusBed
  readonly #server: ApiServer
  #runs = 0

  private constructor(bed: KactusBed, server: ApiServer) {
    this.bed = bed
    this.#server = server
  }

  static async make(t: Test, program: string, server: ApiServer): Promise<Victim> {
    return new Victim(await KactusBed.make(t, program), server)
  }

  async add(env: Readonly<Record<string, string>>): Promise<Answer> {
    const { child, ended } = this.bed.start('ADD', {
      conf: this.bed.conf({ agentSocket: '', kubeconfig: this.#server.adminKubeconfig }),
      args: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=p1',
      container: `c${this.#runs++}`,
      env,
    })
    // One that has become another program may never end.
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
    return ended.finally(() => clearTimeout(timer))
  }
}

async function put(server: ApiServer, path: string, body: unknown): Promise<void> {
  const { code } = await server.send({ method: 'POST', path, body })
  if (code !== 201) throw new Error(`POST ${path}: ${code}`)
}

async function startServer(t: Test): Promise<ApiServer> {
  const server = await startApiServer({ kind: 'real', run: 'kactus-environment' })
  t.teardown(() => server.stop())
  const metadata = { name: 'p1', annotations: { networks: '[{"name":"green"}]' } }
  await put(server, '/apis/kaloom.com/v1/namespaces/default/networks', {
    apiVersion: 'kaloom.com/v1',
    kind: 'Network',
    metadata: { name: 'green' },
    spec: { plugin: 'fake-b', config: '{"cniVersion":"1.0.0"}' },
  })
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'c', image: 'i' }] } }
  await put(server, '/api/v1/namespaces/default/pods', pod)
  return server
}

/** The same program as if the build had not made it deaf. */
async function unguarded(t: Test, program: string): Promise<string> {
  const copy = join(await listedFolder(t), basename(program))
  const bytes = await readFile(program)
  setStart(bytes, 'usual')
  await writeFile(copy, bytes, { mode: 0o755 })
  return copy
}

/** Every name that could be a variable's and stands in a program, except those that kactus itself or the loader reads. */
function allNames(program: string, value: string): Record<string, string> {
  const text = readFileSync(program, 'latin1')
  const names = text.match(/[A-Z][A-Z0-9]{1,20}_[A-Z0-9_]{2,40}/g) ?? []
  return Object.fromEntries(
    names.filter(name => !/^(?:CNI|KACTUS|KUBERNETES|LD|NOPAL)_/.test(name)).map(name => [name, value]),
  )
}

t.test('no variable means anything to an executable', async t => {
  const server = await startServer(t)
  for (const program of programs) {
    t.test(basename(program), async t => {
      const trap = await Trap.make(t)
      const victim = await Victim.make(t, program, server)
      const twin = await Victim.make(t, await unguarded(t, program), server)
      t.same(trap.effectsOf(await twin.add({})), nothing, 'without a variable the unguarded twin does nothing either')

      for (const [name, value] of attacks[basename(program)] ?? []) {
        await t.test(name, async t => {
          const env = { [name]: value.replace('TRAP', trap.folder) }
          await trap.set()
          t.notSame(trap.effectsOf(await twin.add(env)), nothing, 'the engine obeys it')
          await trap.set()
          t.same(trap.effectsOf(await victim.add(env)), nothing, 'kactus does not')
        })
      }

      t.test('all names that stand in it, at once', async t => {
        for (const value of ['1', join(trap.folder, 'written')]) {
          const env = allNames(program, value)
          t.ok(Object.keys(env).length > 300, `${Object.keys(env).length} names`)
          await trap.set()
          t.notSame(trap.effectsOf(await twin.add(env)), nothing, 'the engine obeys some')
          await trap.set()
          t.same(trap.effectsOf(await victim.add(env)), nothing, 'kactus none')
        }
      })

      t.test('plugins get the variables as they came', async t => {
        await victim.bed.forgetCalls()
        t.equal((await victim.add({ BUN_BE_BUN: '1', NODE_DEBUG: '*', TRACEPARENT: '00-ä=1' })).code, 0)
        const got = victim.bed.environmentOf(victim.bed.call('ADD', 'eth0')).split('\n')
        for (const line of ['BUN_BE_BUN=1', 'NODE_DEBUG=*', 'TRACEPARENT=00-ä=1']) t.ok(got.includes(line), line)
      })
    })
  }
})

t.test('NODE_OPTIONS, which the build of a Node executable can switch off by itself', async t => {
  const trap = await Trap.make(t)
  const server = await startServer(t)
  const env = { NODE_OPTIONS: `--require ${trap.folder}/evil.cjs` }
  await collect([process.execPath, '-e', '0'], { env })
  t.same(trap.made(), ['evil'], 'Node obeys it')
  for (const program of programs) {
    await trap.set()
    t.same(trap.effectsOf(await (await Victim.make(t, program, server)).add(env)), nothing, basename(program))
  }
})

t.test('nothing in the working directory, the home or the configuration folder means anything', async t => {
  const trap = await Trap.make(t)
  const server = await startServer(t)
  const plain = join(await listedFolder(t), 'plain')
  await mkdir(`${plain}-sources`)
  await writeFile(`${plain}-sources/main.js`, 'console.log(process.env.EVIL)\n')
  const bun = await findBun(process.arch === 'arm64' ? 'arm64' : 'amd64')
  await collect([bun, 'build', '--compile', `--outfile=${plain}`, `${plain}-sources/main.js`], { env: { HOME: plain } })
  const env = { HOME: trap.folder, XDG_CONFIG_HOME: trap.folder, XDG_DATA_HOME: trap.folder, BUN_INSTALL: trap.folder }
  const inTrap = ['sh', '-c', 'cd "$0" && exec "$@"', trap.folder]
  t.match(await collect([...inTrap, plain], { env }), { code: 0, stdout: '1\n' }, 'a compiled Bun program reads .env')
  t.same(trap.made(), ['evil'], 'and runs what bunfig.toml names')
  for (const program of programs) {
    await trap.set()
    const victim = await Victim.make(t, program, server)
    victim.bed.prefix = inTrap
    t.same(trap.effectsOf(await victim.add(env)), nothing, basename(program))
  }
})
