import { derive, type Watched } from '../kube/derive.ts'
import { createEventRecorder } from '../kube/events.ts'
import { createPoolBoard } from '../pool/board.ts'
import { hasPool, readPoolInput } from '../pool/config-file.ts'
import { createPoolDuty } from '../pool/duty.ts'
import { createHcloudClient } from '../pool/hcloud-client.ts'
import { createListing } from '../pool/listing.ts'
import { createPoolMetrics } from '../pool/metrics.ts'
import { type PoolNode, toPoolNode } from '../pool/pool-node.ts'
import { PoolSync } from '../pool/sync.ts'
import { startLoop } from '../runtime/loop.ts'
import type { LeaderDuty, LeaderParts } from './context.ts'

/** Makes the load-balancer pool follow the servers. */
export function keepPool(leader: LeaderParts): LeaderDuty | undefined {
  const { settings, metrics: all, status, loop, log, onEvent } = leader
  const { pool } = settings
  if (!hasPool(pool)) return undefined
  const metrics = createPoolMetrics(all, pool.name)
  const board = createPoolBoard(pool.name)
  status.add(board.section)
  const client = createHcloudClient({
    endpoint: pool.hcloudEndpoint,
    userAgent: 'nopal',
    clock: loop.clock,
    random: loop.random,
    onAnswer: metrics.countQuestion,
    onRemaining: metrics.showRemaining,
  })
  return (term, watches) => {
    const { clock } = loop
    const nodes = pool.nodes === 'any' ? undefined : derive(watches.nodes, node => toPoolNode(node, settings.gate))
    const query = async () => {
      const input = await readPoolInput(pool)
      log.level = input.logLevel ?? settings.agent.logLevel
      return input.query
    }
    const listing = createListing({ client, query, intervalMs: pool.intervalMs, clock })
    const sync = new PoolSync({ settings: pool, api: term.api, listing, nodes: () => byServer(nodes), clock })
    const events = createEventRecorder({ ...loop, api: term.api, instance: settings.nodeName, onEvent })
    const onSuccess = () => leader.succeeded('pool')
    const running = startLoop(
      createPoolDuty({ settings: pool, sync, listing, board, metrics, events, log, onSuccess }),
      loop,
    )
    nodes?.subscribe(changes => {
      // kubelets write their Nodes all the time: most of that says nothing of the pool.
      if (changes.length === 0 || changes.some(({ before, after }) => JSON.stringify(before) !== JSON.stringify(after)))
        running.wake()
    })
    return {
      async stop() {
        await running.stop()
        board.clear()
      },
    }
  }
}

function byServer(nodes: Watched<PoolNode> | undefined): ReadonlyMap<number, PoolNode> | undefined {
  if (nodes === undefined) return new Map()
  return nodes.synced() ? new Map([...nodes.values()].map(node => [node.server, node])) : undefined
}
