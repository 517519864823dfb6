/** What a request asks, before anybody knows whether there is such a resource. */
export interface RequestInfo {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  /** As the audit log names it. */
  readonly verb: string
  /** Absent for paths that are no resource, such as /version. */
  readonly target: Target | undefined
}

/** The parts of a resource's path. */
export interface Target {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly namespace: string
  readonly name: string
  readonly subresource: string
}

const verbs: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch' }

/** Reads method and URL. */
export function parseRequest(method: string, url: string): RequestInfo {
  // Not the URL class: it would take the first part of "//a/b" for a host.
  const [path = '', ...rest] = url.split('?')
  const query = new URLSearchParams(rest.join('?'))
  const target = parseTarget(path)
  const verb = target === undefined ? method.toLowerCase() : verbOf(method, target, query)
  return { method, path, query, verb, target }
}

function verbOf(method: string, target: Target, query: URLSearchParams): string {
  const collection = target.name === ''
  if (method === 'GET' || method === 'HEAD') {
    if (!collection) return 'get'
    return isTrue(query.get('watch')) ? 'watch' : 'list'
  }
  if (method === 'DELETE') return collection ? 'deletecollection' : 'delete'
  return verbs[method] ?? method.toLowerCase()
}

/** A boolean of a query: `true` and `1` are yes, as the real server reads them. */
export function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1'
}

function parseTarget(path: string): Target | undefined {
  const [root, ...rest] = path.split('/').slice(1).map(decodeURIComponent)
  const [group, version, ...parts] = root === 'api' ? ['', ...rest] : rest
  if ((root !== 'api' && root !== 'apis') || group === undefined || version === undefined || parts.length === 0) {
    return undefined
  }
  const [first = '', second = '', third = ''] = parts
  const inNamespace = first === 'namespaces' && parts.length > 2 && !(third === 'status' || third === 'finalize')
  const [plural = '', name = '', subresource = ''] = inNamespace ? parts.slice(2) : parts
  return { group, version, plural, name, subresource, namespace: inNamespace ? second : '' }
}
