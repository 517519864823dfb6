import { needsPool } from '../config/checks.ts'
import type { Settings } from '../config/settings.ts'
import type { KubeClient } from '../kube/client.ts'
import { listNodes } from '../kube/nodes.ts'
import { readPoolInput } from '../pool/config-file.ts'
import { describeLook, formatLook, type PoolDocument } from '../pool/document.ts'
import { createHcloudClient } from '../pool/hcloud-client.ts'
import { createListing } from '../pool/listing.ts'
import { type PoolNode, toPoolNode } from '../pool/pool-node.ts'
import { PoolSync } from '../pool/sync.ts'
import { systemClock as clock } from '../runtime/clock.ts'
import { type ExitCode, exitCodes, type ProcessPorts } from '../runtime/process.ts'
import { connect, findCredentials, start } from './start.ts'
import { type Flags, readOutput } from './usage.ts'

/** `nopal pool`: what the leader would write to the load-balancer pool; `--apply` writes it once, guards included. */
export async function runPool(ports: ProcessPorts, flags: Flags): Promise<ExitCode> {
  const output = readOutput(flags)
  const { settings } = start(ports, { nodeNameOptional: true, check: needsPool, output: ports.stderr })
  const { pool } = settings
  const kube = connect(ports, await findCredentials(settings))
  try {
    const nodes = await listPoolNodes(kube, settings, ports.ended)
    const sync = new PoolSync({
      settings: pool,
      api: kube,
      listing: openListing(ports, pool),
      nodes: () => nodes,
      clock,
    })
    const look = await sync.look(ports.ended)
    const applies = flags.apply === true && flags['dry-run'] !== true
    if (applies) await sync.apply(look, ports.ended)
    const document = describeLook(pool.name, look)
    ports.stdout.write(output === 'json' ? `${JSON.stringify(document)}\n` : formatLook(document))
    if (look.plan === undefined || !look.listed) return exitCodes.failed
    return exitOf(document, applies)
  } finally {
    kube.close()
  }
}

function openListing(ports: ProcessPorts, pool: Settings['pool']) {
  const nobody = () => undefined
  const client = createHcloudClient({
    endpoint: pool.hcloudEndpoint,
    userAgent: `nopal/${ports.version}`,
    clock,
    random: Math.random,
    onAnswer: nobody,
    onRemaining: nobody,
  })
  return createListing({
    client,
    query: async () => (await readPoolInput(pool)).query,
    intervalMs: pool.intervalMs,
    clock,
  })
}

async function listPoolNodes(
  api: KubeClient,
  { pool, gate }: Settings,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, PoolNode>> {
  const nodes = new Map<number, PoolNode>()
  if (pool.nodes === 'any') return nodes
  for await (const node of listNodes(api, signal)) {
    const found = toPoolNode(node, gate)
    if (found !== undefined) nodes.set(found.server, found)
  }
  return nodes
}

/** Whatever is held or wrong is for a person to know. */
function exitOf({ actions, held, problems }: PoolDocument, applied: boolean): ExitCode {
  const open = (applied ? 0 : actions.length) + held.length + problems.length
  return open === 0 ? exitCodes.well : exitCodes.notWell
}
