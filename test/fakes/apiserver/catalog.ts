import { asList, asObject, asText, type JsonObject, valueAt } from './json.ts'
import { builtIn, type Resource, toResource } from './resources.ts'
import type { Store } from './store.ts'

export const crdTable = 'apiextensions.k8s.io/customresourcedefinitions'

/** The resource of that path; undefined where the group has no such thing; `'no group'` where there is no such group. */
export function findResource(
  store: Store,
  wanted: { readonly group: string; readonly version: string; readonly plural: string },
): Resource | 'no group' | undefined {
  const all = [...builtIn, ...customResources(store)]
  const siblings = all.filter(resource => resource.group === wanted.group && resource.version === wanted.version)
  if (siblings.length === 0 && !virtualGroups.includes(`${wanted.group}/${wanted.version}`)) return 'no group'
  return siblings.find(resource => resource.plural === wanted.plural)
}

/** Groups that hold only questions, no objects. */
const virtualGroups = ['authentication.k8s.io/v1', 'authorization.k8s.io/v1']

/** Name of the table that keeps the objects of a CustomResourceDefinition. */
export function tableOf(definition: JsonObject): string {
  return `${asText(valueAt(definition, 'spec.group'))}/${asText(valueAt(definition, 'spec.names.plural'))}`
}

function customResources(store: Store): Resource[] {
  return store.entries(crdTable).flatMap(([, definition]) => {
    const spec = asObject(definition.spec)
    const versions = asList(spec.versions).map(asObject)
    return versions
      .filter(version => version.served === true)
      .map(version => ({
        ...toResource({ plural: '', kind: '' }, asText(spec.group), asText(version.name)),
        plural: asText(valueAt(spec, 'names.plural')),
        kind: asText(valueAt(spec, 'names.kind')),
        table: tableOf(definition),
        namespaced: spec.scope === 'Namespaced',
        fields: ['metadata.name', ...(spec.scope === 'Namespaced' ? ['metadata.namespace'] : [])],
        status: valueAt(version, 'subresources.status') !== undefined,
        custom: true,
        generation: true,
      }))
  })
}
