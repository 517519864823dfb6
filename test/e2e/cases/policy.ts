import type { Test } from 'tap'
import { type ApiTarget, sendRequest } from '../../cluster/api-client.ts'
import { until } from '../../machine/wait.ts'
import type { Bed, Case } from '../bed.ts'
import { agentOn } from '../product.ts'

/** The admission policy, where kubelet made the token and a controller has read the policy. */
export const policy: readonly Case[] = [
  { name: "the token that kubelet gave an agent writes to that agent's node alone", run: tryToken },
  { name: 'the cluster finds no fault with the admission policy', run: readWarnings },
]

const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

async function tryToken(t: Test, { cluster, near, far }: Bed): Promise<void> {
  const { url, ca, socketPath } = cluster.admin
  const thief: ApiTarget = { url, ca, socketPath, token: await tokenOf(cluster, near.name) }
  t.match(await cordon(thief, far.name), { code: 403, body: { message: `this is the agent of node ${near.name}` } })
  t.match(await cordon(thief, near.name), { code: 403, body: { message: 'not spec.unschedulable' } })
}

async function tokenOf(cluster: Bed['cluster'], node: string): Promise<string> {
  const agent = await agentOn(cluster, node)
  const script = `process.stdout.write(require('fs').readFileSync('${accountFolder}/token'))`
  return await cluster.kubectl(['-n', 'nopal', 'exec', agent?.metadata.name ?? '', '--', 'node', '-e', script])
}

/** Nothing is kept, should it be let through. */
function cordon(target: ApiTarget, node: string) {
  const contentType = 'application/merge-patch+json'
  const body = { spec: { unschedulable: true } }
  return sendRequest(target, { method: 'PATCH', path: `/api/v1/nodes/${node}?dryRun=All`, body, contentType })
}

async function readWarnings(t: Test, { cluster: { kubectl } }: Bed): Promise<void> {
  const read = ['get', 'validatingadmissionpolicy', 'nopal-agent', '-o', 'json']
  const { status } = await until('the cluster to have looked at it', async () => {
    const policy = JSON.parse(await kubectl(read))
    return policy.status?.observedGeneration === policy.metadata.generation && policy
  })
  t.same(status.typeChecking, {})
}
