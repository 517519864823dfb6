import { readFile } from 'node:fs/promises'
import { loadAll } from 'js-yaml'
import { until } from '../machine/wait.ts'
import { type ApiTarget, sendRequest } from './api-client.ts'

/** As much of an object as one must know to send it. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

const plurals: Readonly<Record<string, string>> = {
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  ConfigMap: 'configmaps',
  CustomResourceDefinition: 'customresourcedefinitions',
  DaemonSet: 'daemonsets',
  Namespace: 'namespaces',
  Network: 'networks',
  Node: 'nodes',
  Pod: 'pods',
  Role: 'roles',
  RoleBinding: 'rolebindings',
  Service: 'services',
  ServiceAccount: 'serviceaccounts',
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
  ValidatingAdmissionPolicyBinding: 'validatingadmissionpolicybindings',
}

/** Reads all objects of a YAML file. */
export async function readManifests(file: string): Promise<Manifest[]> {
  const documents = loadAll(await readFile(file, 'utf8')) as (Manifest | null)[]
  return documents.filter(document => document !== null)
}

/** Creates the objects one after the other; what exists already is left as it is. */
export async function createAll(target: ApiTarget, manifests: readonly Manifest[]): Promise<void> {
  for (const manifest of manifests) await create(target, manifest)
}

async function create(target: ApiTarget, manifest: Manifest): Promise<void> {
  const path = collectionPath(manifest)
  const answer = await sendRequest(target, { method: 'POST', path, body: manifest })
  if (answer.code !== 201 && answer.code !== 409) {
    throw new Error(
      `creating ${manifest.kind} ${manifest.metadata.name}: ${answer.code} ${JSON.stringify(answer.body)}`,
    )
  }
  if (manifest.kind === 'CustomResourceDefinition') await waitForCrd(target, manifest)
}

function collectionPath(manifest: Manifest): string {
  const plural = plurals[manifest.kind]
  if (plural === undefined) throw new Error(`kind ${manifest.kind} is not in the table of manifests.ts`)
  const group = manifest.apiVersion.includes('/') ? `/apis/${manifest.apiVersion}` : `/api/${manifest.apiVersion}`
  const { namespace } = manifest.metadata
  return namespace === undefined ? `${group}/${plural}` : `${group}/namespaces/${namespace}/${plural}`
}

/** A custom resource is served a moment after its definition is accepted. */
async function waitForCrd(target: ApiTarget, manifest: Manifest): Promise<void> {
  const { spec } = manifest as unknown as CrdShape
  const path = `/apis/${spec.group}/${spec.versions[0]?.name}/${spec.names.plural}?limit=1`
  const isServed = async () => (await sendRequest(target, { method: 'GET', path })).code === 200
  await until(`${manifest.metadata.name} to be served`, isServed, { limitMs: 30_000 })
}

interface CrdShape {
  readonly spec: {
    readonly group: string
    readonly names: { readonly plural: string }
    readonly versions: readonly { readonly name: string }[]
  }
}
