import * as v from 'valibot'
import { type KubeApi, KubeError } from '../kube/api.ts'
import type { Look, Standing } from './taken-away.ts'

/** Whom the agent asks about what it belongs to. */
export interface OwnersOptions {
  readonly kube: KubeApi
  /** The same server, asked as account kactus; undefined = there is no token of it. */
  readonly asKactus: KubeApi | undefined
  /** The same server, asked by nobody. */
  readonly asNobody: KubeApi
  /** Whether the tokens have not run out: one that has is refused whatever its account. */
  readonly tokensHold: boolean
  readonly names: { readonly namespace: string; readonly daemonSet: string; readonly node: string }
}

/** All at once; the agent has little time. */
const timeoutMs = 2_000

const objectShape = v.object({ metadata: v.object({ deletionTimestamp: v.nullish(v.string()) }) })

/** Asks for what the agent belongs to. Never throws. */
export async function lookAtOwners(options: OwnersOptions): Promise<Look> {
  const { kube, names } = options
  const ofNamespace = `/api/v1/namespaces/${encodeURIComponent(names.namespace)}`
  const ofDaemonSet = `/apis/apps/v1/namespaces/${encodeURIComponent(names.namespace)}/daemonsets/${encodeURIComponent(names.daemonSet)}`
  const [namespace, daemonSet, node] = await Promise.all(
    [ofNamespace, ofDaemonSet, `/api/v1/nodes/${encodeURIComponent(names.node)}`].map(path => standingOf(kube, path)),
  )
  const look = { namespace: namespace ?? 'noAnswer', daemonSet: daemonSet ?? 'noAnswer', node: node ?? 'noAnswer' }
  if (look.daemonSet !== 'unknownAccount') return { ...look, kactus: 'noAnswer' }
  if (!options.tokensHold || options.asKactus === undefined || !(await works(options.asNobody)))
    return { namespace: 'noAnswer', daemonSet: 'noAnswer', node: 'noAnswer', kactus: 'noAnswer' }
  return { ...look, kactus: await standingOf(options.asKactus, ofNamespace) }
}

const standings: Partial<Record<KubeError['code'], Standing>> = {
  NotFound: 'gone',
  Unauthorized: 'unknownAccount',
  Forbidden: 'forbidden',
}

async function standingOf(kube: KubeApi, path: string): Promise<Standing> {
  try {
    const { metadata } = v.parse(objectShape, await kube.request({ method: 'GET', path, timeoutMs }))
    return metadata.deletionTimestamp ? 'going' : 'there'
  } catch (error) {
    return (error instanceof KubeError ? standings[error.code] : undefined) ?? 'noAnswer'
  }
}

/** A server whose own store is away refuses everybody. One that lets nobody ask how it is counts as well. */
async function works(asNobody: KubeApi): Promise<boolean> {
  try {
    await asNobody.request({ method: 'GET', path: '/readyz', timeoutMs })
    return true
  } catch (error) {
    return error instanceof KubeError && ['BadReply', 'Unauthorized', 'Forbidden'].includes(error.code)
  }
}
