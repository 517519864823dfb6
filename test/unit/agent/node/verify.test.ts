import t from 'tap'
import { loadSettings } from '../../../../agent/config/load.ts'
import { KubeError } from '../../../../agent/kube/api.ts'
import { nodeNetworksPath } from '../../../../agent/kube/node-network.ts'
import { createNodeContext } from '../../../../agent/node/context.ts'
import { verifyNetwork } from '../../../../agent/node/verify.ts'
import { createStatus } from '../../../../agent/report/status.ts'
import { systemClock } from '../../../../agent/runtime/clock.ts'
import { createMetrics } from '../../../../agent/runtime/metrics.ts'
import type { ProcessPorts } from '../../../../agent/runtime/process.ts'
import { createMeshMap } from '../../../../agent/wireguard/mesh-map.ts'
import { nodeBody, nodeOf, ownLabel } from '../gate/samples.ts'
import { settle } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'
import { createFakeKube, kubernetesService, servicePath } from '../verify/fake-kube.ts'

/** Only the host's checks, and none of them asks beyond this process: an address is no name to resolve. */
const env = {
  NODE_NAME: 'n1',
  NOPAL_VERIFY_FROM: 'host',
  NOPAL_VERIFY_DNS_DOMAINS: '192.0.2.1',
  // Longer than the test holds an answer back.
  NOPAL_VERIFY_CHECK_TIMEOUT: '20s',
}

const ports: ProcessPorts = {
  args: [],
  env: {},
  stdout: { write: () => true },
  stderr: { write: () => true },
  stdin: () => process.stdin,
  self: [],
  hostname: 'n1',
  version: '1',
  kactusBinary: '',
  ended: new AbortController().signal,
}

/** A stream that never opens, of a cluster where no node publishes anything. */
function silent({ path, signal }: { readonly path: string; readonly signal: AbortSignal }): Promise<never> {
  if (path === nodeNetworksPath) return Promise.reject(new KubeError('NotFound', 'no such kind', { status: 404 }))
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
}

t.test('a verdict that is doubted while it runs is neither shown nor counted; the next one is', async t => {
  const held = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const asked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let runs = 0
  const kube = createFakeKube({
    'GET /api/v1/nodes'({ onItem }) {
      onItem?.(nodeBody({ labels: ownLabel, resourceVersion: '1' }))
      return { metadata: { resourceVersion: '1' } }
    },
    async [servicePath]() {
      const turn = runs++
      asked[turn]?.resolve()
      await held[turn]?.promise
      return kubernetesService(['127.0.0.1'], 1)
    },
  })
  const log = createRecordingLogger()
  const metrics = createMetrics()
  const status = createStatus({ node: 'n1', version: '1' }, () => 0)
  const node = createNodeContext({
    ports,
    settings: loadSettings({
      env,
      readFile: () => {
        throw Object.assign(new Error('none'), { code: 'ENOENT' })
      },
      terminal: false,
      hostname: 'n1',
      nodeNameOptional: false,
    }).settings,
    log,
    credentials: {
      last: () => ({ server: 'http://127.0.0.1:1', insecure: false }) as never,
      current: async () => ({ server: 'http://127.0.0.1:1', insecure: false }) as never,
    },
    kube: { ...kube, stream: silent, close: () => undefined },
    metrics,
    status,
    onEvent: () => undefined,
    memory: { rest: () => undefined, stop: () => undefined },
    loop: { log, clock: systemClock, random: Math.random },
  })
  const map = createMeshMap({ self: 'n1', networks: [], serviceCIDRs: [], ownAddresses: [] })
  node.mesh.set({ devices: [], readings: [], map, incidents: new Map(), held: [] })
  const told: unknown[] = []
  node.verdict.onChange(verdict => told.push(verdict))
  const running = verifyNetwork(node)
  t.teardown(async () => {
    for (const { resolve } of held) resolve()
    await running.stop()
    await Promise.all([node.ownNode.stop(), node.networks.stop(), node.objects?.stop()])
  })
  const attempts = async () => {
    const text = await metrics.render()
    const lines = text.split('\n').filter(line => line.startsWith('kube_node_ready_verification_attempts_total{'))
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  await asked[0]?.promise
  while (node.ownNode.current() === undefined) await settle()
  node.ownNode.adopt(nodeOf({ labels: {}, resourceVersion: '2' }))
  held[0]?.resolve()
  await asked[1]?.promise
  t.same(told, [], 'nobody heard of it')
  t.match(status.document(), { verdict: null, missing: ['the first verification has not ended'] })
  t.equal(await attempts(), 0)
  t.same(
    log.lines.filter(([, message]) => message.startsWith('network')),
    [],
  )
  t.equal(node.board.current(), undefined)

  const next = Promise.withResolvers<void>()
  node.verdict.onChange(() => next.resolve())
  held[1]?.resolve()
  await next.promise
  t.equal(told.length, 1)
  t.equal(await attempts(), 1)
  t.match(status.document(), { verdict: { node: 'n1' } })
  t.ok(node.board.current())
})
