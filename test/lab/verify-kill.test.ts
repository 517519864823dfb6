import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { until } from '../machine/wait.ts'
import { startLab } from './lab.ts'
import type { LabNode } from './node.ts'
import { recordsOn, sandboxTraces, untilNoTraces } from './verify-bed.ts'

/** Holds a CNI command up for as long as its name is in a file; everything else it lets pass. */
const holdPlugin = `#!/bin/sh
cat >/dev/null
if [ "$CNI_COMMAND" = "$(cat /run/hold 2>/dev/null)" ]; then
  : >/run/held
  while [ -e /run/hold ]; do sleep 0.05; done
fi
[ "$CNI_COMMAND" != ADD ] || echo '{"cniVersion": "1.0.0"}'
`

interface Kill {
  readonly name: string
  /** The command of the last plugin that is held up; undefined = the checks are under way. */
  readonly command: 'ADD' | 'DEL' | undefined
  readonly install: boolean
}

const kills: readonly Kill[] = [
  { name: 'while the chain attaches', command: 'ADD', install: false },
  { name: 'while the checks run', command: undefined, install: false },
  { name: 'while the checks run behind kactus', command: undefined, install: true },
  { name: 'while the chain detaches', command: 'DEL', install: false },
]

t.test('an agent killed with -9 during a probe: the next start takes away what is left', async t => {
  const lab = await startLab({ nodes: 1 })
  t.teardown(async () => {
    if (!t.passing()) t.comment(lab.run.logTails(40))
    await lab.stop()
  })
  const node = lab.node(1)
  appendPlugin(node)

  for (const row of kills) {
    await t.test(row.name, async t => {
      // A silent name server holds the checks up; a held command is reached only when they have ended.
      const silent = row.command === undefined
      if (silent) await dropDns(node)
      else writeFileSync(node.path('/run/hold'), row.command)
      const agent = await lab.startAgent(node, { settings: settings(row.install) })
      await until('the middle of a probe', () => (silent ? isProbing(node) : existsSync(node.path('/run/held'))))
      await agent.stop('SIGKILL')
      await until(
        'the program in the sandbox to end',
        async () => !(await sandboxTraces(node)).includes('nopal.js probe'),
      )
      t.not(recordsOn(node).length, 0, 'it is on record')
      t.ok(
        (await sandboxTraces(node)).some(trace => trace.startsWith('/var/lib/cni/networks')),
        'an address is out',
      )

      if (silent) await node.run(['nft', 'delete', 'table', 'inet', 'silent'])
      else rmSync(node.path('/run/hold'))
      rmSync(node.path('/run/held'), { force: true })
      const next = await lab.startAgent(node, { settings: settings(row.install) })
      await until('the sweep', () => /took down the probe sandbox/.test(next.log()))
      await next.stop('SIGTERM', 5000)
      await untilNoTraces(node)
    })
  }

  await t.test('a sandbox in use by another process is left alone', async t => {
    writeFileSync(node.path('/run/hold'), 'ADD')
    const agent = await lab.startAgent(node, { settings: settings(false) })
    await until('the middle of a probe', () => existsSync(node.path('/run/held')))
    const [record] = recordsOn(node)
    const other = lab.run.exec([node.nopalScript, 'verify', '--dry-run', '--from', 'host,sandbox'])
    await until('its own record', () => recordsOn(node).length === 2)
    t.ok(recordsOn(node).includes(record ?? ''), 'both are there')
    rmSync(node.path('/run/hold'))
    t.equal((await other).code, 0)
    await agent.stop('SIGTERM', 5000)
    t.same(await sandboxTraces(node), [])
  })
})

function settings(install: boolean): string {
  // Longer than a busy machine needs to see what is held up, and to kill it.
  return `[verify]\ncheck-timeout = 50s\ninterval = 60s\n[install]\nenabled = ${install}\n`
}

function appendPlugin(node: LabNode): void {
  writeFileSync(node.path('/opt/cni/bin/hold'), holdPlugin, { mode: 0o755 })
  const conf = {
    cniVersion: '1.0.0',
    name: 'lab',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isDefaultGateway: true,
        ipam: { type: 'host-local', ranges: [[{ subnet: node.plan.podCidr }]] },
      },
      { type: 'hold' },
    ],
  }
  writeFileSync(node.path('/etc/cni/net.d/10-lab.conflist'), JSON.stringify(conf))
}

async function dropDns(node: LabNode): Promise<void> {
  const table = 'add table inet silent; add chain inet silent pods { type filter hook prerouting priority -300; }'
  await node.run(['nft', `${table}; add rule inet silent pods iifname cni0 udp dport 53 drop`])
}

/** On record and with an address: what follows are the checks, which wait for the name server. */
function isProbing(node: LabNode): boolean {
  const leases = node.path('/var/lib/cni/networks/lab')
  return recordsOn(node).length > 0 && existsSync(leases) && readdirSync(leases).some(name => /^[\d.]+$/.test(name))
}
