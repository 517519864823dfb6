import { type ConfList, confListFrom, type PluginConf } from '../../cni/spec/conf.ts'
import { field, isJsonObject, type JsonObject, parseJson } from '../../cni/spec/json.ts'
import { atLeast, DEFAULT_VERSION } from '../../cni/spec/versions.ts'
import { binaryName } from './paths.ts'

/** Stable: runtimes and kactus' records know the network by it. */
export const networkName = 'kactus-net'
/** The oldest version whose results say all that a pod's interface has. */
const leastVersion = '0.3.1'

/** What kactus is told of its node. */
export interface ToldKactus {
  /** Path of its kubeconfig. */
  readonly kubeconfig: string
  /** Where the agent answers; undefined = where kactus looks anyway. */
  readonly agentSocket?: string | undefined
  /** Plugins that Networks may name; empty = all. */
  readonly allowedPlugins?: readonly string[]
  /** kubelet's folder; undefined = where kactus looks anyway. */
  readonly kubeletDir?: string | undefined
}

/** The list that makes a runtime call kactus, with the node's own default network as the first delegate. */
export function renderConf(wrapped: ConfList, told: ToldKactus): string {
  const { kubeconfig, agentSocket, allowedPlugins = [], kubeletDir } = told
  const capabilities = gatherCapabilities(wrapped.plugins)
  const kactus: JsonObject = {
    type: binaryName,
    kubeconfig,
    ...(agentSocket === undefined ? {} : { agentSocket }),
    ...(kubeletDir === undefined ? {} : { kubeletDir }),
    ...(allowedPlugins.length === 0 ? {} : { allowedPlugins }),
    ...(Object.keys(capabilities).length === 0 ? {} : { capabilities }),
    delegates: [toDelegate(wrapped)],
  }
  const list: JsonObject = {
    cniVersion: atLeast(wrapped.cniVersion, leastVersion) ? wrapped.cniVersion : leastVersion,
    name: networkName,
    ...flags(wrapped),
    plugins: [kactus],
  }
  return `${JSON.stringify(list, null, 2)}\n`
}

/** Whether a text is a list that a runtime would call kactus with. */
export function isOwnConf(text: string): boolean {
  try {
    const document = parseJson(text)
    return isJsonObject(document) && confListFrom(document).plugins[0]?.type === binaryName
  } catch {
    return false
  }
}

function toDelegate(wrapped: ConfList): JsonObject {
  const [only, ...more] = wrapped.plugins
  // Without a version of its own a delegate gets ours, which is what an absent one needs.
  const version = wrapped.cniVersion === DEFAULT_VERSION ? {} : { cniVersion: wrapped.cniVersion }
  const head: JsonObject = { masterPlugin: true, name: wrapped.name, ...version }
  if (only !== undefined && more.length === 0) return { ...only, ...head, ...flags(wrapped) }
  return { ...head, ...flags(wrapped), plugins: wrapped.plugins }
}

function flags({ disableCheck, disableGC }: ConfList): JsonObject {
  return { ...(disableCheck ? { disableCheck } : {}), ...(disableGC ? { disableGC } : {}) }
}

/** A runtime hands port mappings and the like only to a plugin that asks for them: kactus asks for all its delegate can do. */
function gatherCapabilities(plugins: readonly PluginConf[]): JsonObject {
  const all = plugins.map(plugin => field(plugin, 'capabilities')).filter(each => each !== undefined)
  const granted = all.filter(isJsonObject).flatMap(each => Object.entries(each).filter(([, value]) => value === true))
  return Object.fromEntries(granted)
}
