import { CniError } from '../spec/errors.ts'
import { KactusCode } from './codes.ts'
import type { NetworkRequest } from './request.ts'

const EVERYBODYS = 'default'

/** The namespaces a requested network may be found in, first one first, before any question of rights. */
export function namespacesOf(request: NetworkRequest, podNamespace: string): readonly string[] {
  if (request.namespace !== undefined) return [request.namespace]
  return podNamespace === EVERYBODYS ? [EVERYBODYS] : [podNamespace, EVERYBODYS]
}

/**
 * Refuses a network of another team's namespace.
 * @param shared namespaces whose networks anyone may use, beside `default`
 * @throws CniError
 */
export function refuseForeign(request: NetworkRequest, podNamespace: string, shared: readonly string[]): void {
  const { namespace, name } = request
  if (namespace === undefined || [podNamespace, EVERYBODYS, ...shared].includes(namespace)) return
  const message = `a pod of namespace ${podNamespace} may not use network ${namespace}/${name}: that namespace is not shared`
  throw new CniError(KactusCode.NamespaceRefused, message)
}
