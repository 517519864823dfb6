import { until } from '../machine/wait.ts'
import type { ApiServer } from './api-server.ts'

/** Serves of a CustomResourceDefinition these versions and no other, and waits until that is so. */
export async function serveVersions(
  server: ApiServer,
  { plural, group }: { readonly plural: string; readonly group: string },
  wanted: readonly string[],
): Promise<void> {
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${group}`
  const { body } = await server.send({ method: 'GET', path })
  const { spec } = body as { readonly spec: { readonly versions: readonly { readonly name: string }[] } }
  const versions = spec.versions.map(one => ({ ...one, served: wanted.includes(one.name) }))
  const contentType = 'application/merge-patch+json'
  await server.send({ method: 'PATCH', path, body: { spec: { versions } }, contentType })
  const isSo = async (version: string) => {
    const { code } = await server.send({ method: 'GET', path: `/apis/${group}/${version}/${plural}` })
    return code === (wanted.includes(version) ? 200 : 404)
  }
  await until(`${wanted.join(' and ')} of ${plural} to be served`, async () => {
    if ((await listedVersions(server, group)) !== [...wanted].sort().join()) return false
    return (await Promise.all(versions.map(({ name }) => isSo(name)))).every(Boolean)
  })
}

/** As the list of all groups has them, sorted. */
async function listedVersions(server: ApiServer, group: string): Promise<string | undefined> {
  const { body } = await server.send({ method: 'GET', path: '/apis' })
  const { groups } = body as {
    readonly groups: readonly { readonly name: string; readonly versions: readonly { readonly version: string }[] }[]
  }
  const found = groups.find(({ name }) => name === group)?.versions.map(({ version }) => version)
  return found?.sort().join()
}
