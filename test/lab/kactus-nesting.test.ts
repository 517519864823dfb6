import { existsSync, readdirSync } from 'node:fs'
import { chmod, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import t from 'tap'
import { documentOf, KactusBed, programs } from './kactus-bed.ts'

// A tenant's Network that names kactus would choose kactus' own configuration: which files it reads, which it writes to,
// and which server gets a token.

/** What the Network would have kactus do, and what must not be there afterwards. */
function spoils(bed: KactusBed) {
  const [logFile, cniDir] = [join(bed.folder, 'chosen.log'), join(bed.folder, 'chosen-state')]
  const chosen = { logFile, cniDir, logLevel: 'debug', kubeconfig: '/etc/shadow', agentSocket: '' }
  return { chosen, isLeft: () => existsSync(logFile) || existsSync(cniDir) }
}

interface Nest {
  readonly name: string
  readonly config: (chosen: object, program: string) => object
  readonly plugin?: string
}

const inner = { delegates: [{ type: 'fake-c', name: 'inner' }] }
const nests: readonly Nest[] = [
  { name: 'by its name', config: chosen => ({ type: 'kactus', ...inner, ...chosen }) },
  { name: 'by the plugin of the object', plugin: 'kactus', config: chosen => ({ ...inner, ...chosen }) },
  { name: 'by the name of the other executable', config: chosen => ({ type: 'kactus-pkg', ...inner, ...chosen }) },
  { name: 'by a link', config: chosen => ({ type: 'innocent', ...inner, ...chosen }) },
  { name: 'by its path', config: (chosen, program) => ({ type: program, ...inner, ...chosen }) },
  {
    name: 'in a chain',
    config: chosen => ({ plugins: [{ type: 'fake-b' }, { type: 'kactus', ...inner, ...chosen }] }),
  },
  { name: 'as IPAM plugin', config: chosen => ({ type: 'fake-b', ipam: { type: 'kactus', ...inner, ...chosen } }) },
  { name: 'as IPAM plugin, by a link', config: chosen => ({ type: 'fake-b', ipam: { type: 'innocent', ...chosen } }) },
  { name: 'as a delegate', config: chosen => ({ type: 'fake-b', Delegate: { TYPE: 'kactus', ...inner, ...chosen } }) },
  {
    name: 'by its conf, of a meta plugin',
    config: () => ({ type: 'fake-b', clusterNetwork: '/host/etc/cni/net.d/05-kactus.conflist' }),
  },
  { name: "by its network's name", config: () => ({ type: 'fake-b', defaultNetworks: ['kactus-net'] }) },
]

for (const program of programs) {
  t.test(basename(program), async t => {
    const bed = await KactusBed.make(t, program)
    const { chosen, isLeft } = spoils(bed)
    await symlink(program, join(bed.bin, 'kactus'))
    await symlink(join(bed.bin, 'kactus'), join(bed.bin, 'innocent'))

    for (const { name, plugin, config } of nests) {
      t.test(`a Network may not name kactus ${name}`, async t => {
        const spec = { plugin: plugin ?? null, config: JSON.stringify(config(chosen, program)) }
        bed.agent.putNetwork('Network', 'default', 'green', { metadata: { name: 'green', namespace: 'default' }, spec })
        bed.putPod([{ name: 'green' }])
        t.match(documentOf(await bed.add()), { code: 111, msg: /^Network default\/green: .* kactus/ })
        t.same([bed.calls(), bed.state(), isLeft()], [[], [], false])
      })
    }

    t.test('a plugin that finds kactus by a way of its own gets nothing from it', async t => {
      const nested = { cniVersion: '1.0.0', name: 'x', type: 'kactus', ...inner, ...chosen }
      await writeFile(join(bed.folder, 'hidden.json'), JSON.stringify(nested))
      const script = `#!/bin/sh\ncat >/dev/null\nexec "${program}" <"${join(bed.folder, 'hidden.json')}"\n`
      await writeFile(join(bed.bin, 'meta'), script)
      await chmod(join(bed.bin, 'meta'), 0o755)
      bed.putNetwork('green', { type: 'meta' })
      bed.putPod([{ name: 'green' }])
      t.match(documentOf(await bed.add()), { code: 111, msg: /a plugin that kactus runs has called kactus/ })
      t.notOk(isLeft(), 'not even a log')
      t.notOk(bed.calls().some(({ plugin }) => plugin === 'fake-c'))
      t.equal((await bed.del()).code, 1, 'its DEL is refused in the same words, and may be let go later')
      await bed.ageRefusals(61_000)
      t.equal((await bed.del()).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('allowedPlugins narrows what a Network may name, and not what the configuration does', async t => {
      const add = (config: object) => {
        bed.putNetwork('green', config)
        bed.putPod([{ name: 'green' }])
        return bed.add({ conf: bed.conf({ allowedPlugins: ['fake-b', 'host-local'] }) })
      }
      await bed.forgetCalls()
      t.match(documentOf(await add({ type: 'fake-c' })), {
        code: 111,
        msg: /"type" is none of "allowedPlugins": "fake-c"/,
      })
      const nested = { type: 'fake-b', ipam: { type: 'fake-c' } }
      t.match(documentOf(await add(nested)), { code: 111, msg: /"ipam\.type" is none of/ })
      t.same(bed.calls(), [])
      t.equal((await add({ type: 'fake-b', ipam: { type: 'host-local' } })).code, 0)
      t.equal((await bed.del()).code, 0)
      t.same(readdirSync(join(bed.bin, 'held')), [])
    })
  })
}
