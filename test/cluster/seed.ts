import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../machine/wait.ts'
import { type ApiRequest, type ApiTarget, sendRequest } from './api-client.ts'
import { createAll, readManifests } from './manifests.ts'

const crdFolders = [join(import.meta.dirname, '../../daemonset'), join(import.meta.dirname, 'crds')]

/** What a server makes by itself after it is ready. */
const seeded = [
  '/api/v1/namespaces/default',
  '/api/v1/namespaces/kube-system',
  '/api/v1/namespaces/default/services/kubernetes',
  '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes',
]

/** Waits for what every cluster has, and adds the accounts that a controller would make. */
export async function waitForSeed(admin: ApiTarget): Promise<void> {
  for (const path of seeded) await waitForObject(admin, path)
  await makeAccount(admin, 'default', 'default')
  await makeAccount(admin, 'kube-system', 'default')
}

/** Installs every CustomResourceDefinition of the product, and those of others that tests need. */
export async function installCrds(admin: ApiTarget): Promise<void> {
  for (const folder of crdFolders) {
    const files = (await readdir(folder)).filter(name => name.endsWith('.yaml') && name.includes('crd'))
    for (const file of files.sort()) await createAll(admin, await readManifests(join(folder, file)))
  }
}

/** A service account, and the node that its pod would run on: a token then says so, as one that kubelet asks for does. */
export interface AccountOnNode {
  readonly namespace: string
  readonly name: string
  readonly node?: string | undefined
}

/** Makes the namespace and the account where they are absent, and a token that outlives every test. */
export async function makeAccountToken(admin: ApiTarget, { namespace, name, node }: AccountOnNode): Promise<string> {
  await makeNamespace(admin, namespace)
  await makeAccount(admin, namespace, name)
  const bound = node === undefined ? {} : { boundObjectRef: await makePod(admin, { namespace, name, node }) }
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 24 * 60 * 60, ...bound },
  }
  const answer = await sendRequest(admin, { method: 'POST', path, body })
  const { token } = (answer.body as { status?: { token?: string } }).status ?? {}
  if (answer.code !== 201 || token === undefined) throw new Error(`token of ${namespace}/${name}: ${answer.code}`)
  return token
}

/** Makes a pod of the account on the node. Returns the reference to it. */
async function makePod(admin: ApiTarget, { namespace, name: account, node }: AccountOnNode): Promise<object> {
  const name = `${account}-on-${node}`
  const spec = {
    ...{ nodeName: node, serviceAccountName: account, automountServiceAccountToken: false, hostNetwork: true },
    containers: [{ name: 'agent', image: 'i' }],
  }
  const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec }
  await create(admin, `/api/v1/namespaces/${namespace}/pods`, body)
  return { apiVersion: 'v1', kind: 'Pod', name }
}

/** Makes a namespace with its account `default`, without which the real server takes no pods. */
async function makeNamespace(admin: ApiTarget, name: string): Promise<void> {
  await create(admin, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  await makeAccount(admin, name, 'default')
}

async function makeAccount(admin: ApiTarget, namespace: string, name: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts`
  await create(admin, path, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } })
}

async function create(admin: ApiTarget, path: string, body: object): Promise<void> {
  const request: ApiRequest = { method: 'POST', path, body }
  const answer = await sendRequest(admin, request)
  if (answer.code !== 201 && answer.code !== 409) throw new Error(`POST ${path}: ${JSON.stringify(answer.body)}`)
}

async function waitForObject(admin: ApiTarget, path: string): Promise<void> {
  const isThere = async () => (await sendRequest(admin, { method: 'GET', path })).code === 200
  await until(`the server to make ${path}`, isThere, { limitMs: 30_000 })
}
