import { isOwnProgram } from '../host/own-program.ts'
import type { PluginRules } from '../networks/plugin-rules.ts'
import { findPlugin, pluginFolders } from '../spec/plugin.ts'
import type { Call } from './call.ts'

/** What a pod may use. */
export interface NetworkRules {
  /** Namespaces whose networks anyone may use, beside `default`. */
  readonly shared: readonly string[]
  readonly plugins: PluginRules
}

/** The rules of the configuration, on this host. */
export function rulesOf({ conf, request }: Pick<Call, 'conf' | 'request'>): NetworkRules {
  const folders = pluginFolders(request.path)
  const isKactus = (plugin: string) => {
    const path = findPlugin(plugin, folders)
    return path !== undefined && isOwnProgram(path)
  }
  return { shared: conf.sharedNamespaces, plugins: { allowed: conf.allowedPlugins, isKactus } }
}
