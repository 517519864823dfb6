import type { AuditLine } from '../cluster/audit.ts'
import type { Manifest } from '../cluster/manifests.ts'

/** One right of one account: a verb on a resource. */
export interface Grant {
  /** `namespace/name` of the ServiceAccount. */
  readonly account: string
  readonly verb: string
  readonly group: string
  /** With its subresource: `nodes/status`. */
  readonly resource: string
  /** Only there; undefined = in the whole cluster. */
  readonly namespace: string | undefined
  /** Only these objects; empty = all. */
  readonly names: readonly string[]
}

/** A grant and how often it was used. */
export interface GrantUse extends Grant {
  readonly uses: number
}

/** Rights granted beside rights used. */
export interface RightsReport {
  readonly grants: readonly GrantUse[]
  /** What an account asked for and was refused, or got by a right that is not in the manifests. */
  readonly faults: readonly string[]
}

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly resourceNames?: readonly string[]
}

interface RoleManifest extends Manifest {
  readonly rules: readonly Rule[]
}

interface BindingManifest extends Manifest {
  readonly roleRef: { readonly kind: string; readonly name: string }
  readonly subjects: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[]
}

/** Every right that the bindings among the objects give to ServiceAccounts. */
export function grantsOf(objects: readonly Manifest[]): readonly Grant[] {
  const bindings = objects.filter(({ kind }) => kind.endsWith('RoleBinding')) as BindingManifest[]
  return bindings.flatMap(binding => {
    const rules = rulesOf(objects, binding)
    const accounts = binding.subjects.map(({ namespace, name }) => `${namespace}/${name}`)
    return accounts.flatMap(account => rules.flatMap(rule => grantsOfRule(rule, account, binding.metadata.namespace)))
  })
}

function rulesOf(objects: readonly Manifest[], { roleRef, metadata }: BindingManifest): readonly Rule[] {
  const role = objects.find(
    each =>
      each.kind === roleRef.kind &&
      each.metadata.name === roleRef.name &&
      (roleRef.kind === 'ClusterRole' || each.metadata.namespace === metadata.namespace),
  )
  if (role === undefined) throw new Error(`binding ${metadata.name} names ${roleRef.kind} ${roleRef.name}: not there`)
  return (role as RoleManifest).rules
}

function grantsOfRule(rule: Rule, account: string, namespace: string | undefined): readonly Grant[] {
  const { apiGroups, resources, verbs, resourceNames: names = [] } = rule
  return apiGroups.flatMap(group =>
    resources.flatMap(resource => verbs.map(verb => ({ account, verb, group, resource, namespace, names }))),
  )
}

/** What a request asks for, as the API server sees it; undefined for a path that is no resource. */
export function requestOf({ path, verb }: Pick<AuditLine, 'path' | 'verb'>) {
  const found = /^\/(?:api\/[^/]+|apis\/(?<group>[^/]+)\/[^/]+)\/(?<rest>.+)$/.exec(path)?.groups
  if (found === undefined) return undefined
  const parts = (found.rest ?? '').split('/').map(decodeURIComponent)
  const namespaced = parts[0] === 'namespaces' && parts.length > 2
  const [type = '', name, subresource] = namespaced ? parts.slice(2) : parts
  const resource = subresource === undefined ? type : `${type}/${subresource}`
  return { group: found.group ?? '', resource, verb, name, namespace: namespaced ? parts[1] : undefined }
}

/** Leaves out what every account may ask: which groups there are, and which resources. */
export function withoutDiscovery(lines: readonly AuditLine[]): readonly AuditLine[] {
  return lines.filter(({ path }) => !/^\/apis(\/[^/]+\/[^/]+)?$/.test(path))
}

/** Counts the uses of each grant, and names each request of the accounts that no grant covers or that was refused. */
export function compareRights(grants: readonly Grant[], lines: readonly AuditLine[]): RightsReport {
  const accounts = new Set(grants.map(grant => grant.account))
  const own = lines.flatMap(line => {
    const account = line.user.replace('system:serviceaccount:', '').replace(':', '/')
    return accounts.has(account) ? [{ account, line }] : []
  })
  const uses = new Map(grants.map(grant => [grant, 0]))
  const faults = new Set<string>()
  for (const { account, line } of own) {
    const title = `${account}: ${line.verb} ${line.path}`
    if (line.code === 401 || line.code === 403) faults.add(`${title} was refused (${line.code})`)
    const covering = grants.filter(grant => grant.account === account && covers(grant, line))
    if (covering.length === 0) faults.add(`${title} is not among the rights`)
    for (const grant of covering) uses.set(grant, (uses.get(grant) ?? 0) + 1)
  }
  return { grants: grants.map(grant => ({ ...grant, uses: uses.get(grant) ?? 0 })), faults: [...faults] }
}

function covers(grant: Grant, line: AuditLine): boolean {
  const request = requestOf(line)
  if (request === undefined || request.verb !== grant.verb) return false
  if (request.group !== grant.group || request.resource !== grant.resource) return false
  if (grant.namespace !== undefined && request.namespace !== grant.namespace) return false
  return grant.names.length === 0 || (request.name !== undefined && grant.names.includes(request.name))
}

/** A table for people. */
export function formatRights({ grants, faults }: RightsReport): string {
  const rows = grants.map(({ account, verb, group, resource, namespace, names, uses }) => [
    account,
    verb,
    group === '' ? resource : `${resource}.${group}`,
    names.join(','),
    namespace ?? '(all)',
    String(uses),
  ])
  const table = [['ACCOUNT', 'VERB', 'RESOURCE', 'ONLY', 'NAMESPACE', 'USES'], ...rows]
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map(row => row[column]?.length ?? 0)))
  const format = (row: readonly string[]) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd()
  return [...table.map(format), ...faults].join('\n')
}
