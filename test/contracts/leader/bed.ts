import { join } from 'node:path'
import type { Test } from 'tap'
import { type ApiServer, startApiServer } from '../../cluster/api-server.ts'
import { createAll, type Manifest, readManifests } from '../../cluster/manifests.ts'

const manifestFolder = join(import.meta.dirname, '../../../daemonset')

/** A real API server without kubelets and controllers, and the leader's account with the rights of its manifests. */
export interface LeaderBed {
  readonly server: ApiServer
  readonly kubeconfig: string
  readonly manifests: readonly Manifest[]
}

/** @param features files of the manifests with the rights of what the leader is to do */
export async function startLeaderBed(t: Test, run: string, features: readonly string[]): Promise<LeaderBed> {
  const server = await startApiServer({ kind: 'real', run })
  t.teardown(() => server.stop())
  const kubeconfig = await server.kubeconfigFor('nopal', 'nopal-leader')
  const files = ['leader.yaml', ...features].map(file => readManifests(join(manifestFolder, file)))
  const manifests = (await Promise.all(files)).flat().filter(({ kind }) => kind !== 'Deployment')
  await createAll(server.admin, manifests)
  return { server, kubeconfig, manifests }
}
