import type { ApiServer } from '../cluster/api-server.ts'
import type { Manifest } from '../unit/daemonset/manifests.ts'

interface Status {
  readonly message?: string
}

function pluralOf(kind: string): string {
  return `${kind.toLowerCase()}s`.replace(/ys$/, 'ies')
}

/** Server-side apply; a field the server does not know is a fault. Says `applied`, or why not. A dry run keeps nothing. */
export async function applyStrictly(
  server: ApiServer,
  { file: _, ...manifest }: Manifest,
  dryRun = false,
): Promise<string> {
  const { apiVersion, kind, metadata } = manifest
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const namespace = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`
  const query = `fieldManager=test&force=true&fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`
  const answer = await server.send({
    method: 'PATCH',
    path: `${group}${namespace}/${pluralOf(kind)}/${metadata.name}?${query}`,
    contentType: 'application/apply-patch+yaml',
    body: manifest,
  })
  if (answer.code === 200 || answer.code === 201) return 'applied'
  return `${answer.code} ${(answer.body as Status).message}`
}
