import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { askAgent, untilOpen } from '../lab/gate-bed.ts'
import { annotate, sayRunning } from '../lab/hotplug-bed.ts'
import { internet } from '../lab/internet.ts'
import { GuardedMesh } from '../lab/mesh-bed.ts'
import type { LabNode } from '../lab/node.ts'
import { allowFallback } from '../lab/product.ts'
import { until } from '../machine/wait.ts'

/** Writes down what an agent of the lab says in three states: `node test/page/record.ts [FOLDER]`, as root, after `./build.sh`. */
const [folder = 'test/fixtures/recorded/status'] = process.argv.slice(2)
const settings = `[verify]
dns-domains = kubernetes.default.svc.cluster.local
check-timeout = 2s
interval = 1s
[gate]
mode = continuous
[wireguard]
heal = observe
`

interface Said {
  readonly verdict: { readonly passed: boolean } | null
  readonly api: { readonly answers: boolean | null }
  readonly attachments: { readonly attached: number; readonly missing: number }
}

async function record(node: LabNode, name: string, isIt: (said: Said) => boolean): Promise<void> {
  const text = await until(
    name,
    async () => {
      const answer = await askAgent(node, '/status.json')
      return isIt(JSON.parse(answer.text) as Said) && answer.text
    },
    { limitMs: 180_000, everyMs: 500 },
  )
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(JSON.parse(text), undefined, 1)}\n`)
}

const bed = await GuardedMesh.start(3, settings)
try {
  const [one, three] = [bed.node(1), bed.node(3)]
  await allowFallback(bed.lab.api)
  for (const node of bed.lab.nodes) await untilOpen(bed.lab, node.name)
  for (const [name, networks] of Object.entries({ app1: ['green', 'blue'], app2: ['green'] })) {
    const pod = await bed.lab.startPod(one, { name })
    await sayRunning(bed.lab, pod)
    await annotate(bed.lab, pod, { networks: networks.map(each => ({ name: each })) })
  }
  await record(one, 'well', said => said.verdict?.passed === true && said.attachments.attached === 3)
  const stopPosing = await bed.sendFrom(three, '10.42.2.17')
  await record(one, 'leak', said => said.verdict?.passed === false)
  await stopPosing()
  await untilOpen(bed.lab, one.name, 120_000)
  const drop = `ip daddr ${internet.controlPlane} tcp dport != 53 drop`
  await one.run(['nft', `table ip hole { chain out { type filter hook output priority 0; ${drop}; }; }`])
  await record(one, 'api-down', said => said.verdict?.passed === false && said.api.answers === false)
} finally {
  await bed.stop()
}
