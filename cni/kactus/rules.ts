import type { Log } from '../host/log.ts'
import { isOwnProgram } from '../host/own-program.ts'
import type { PluginRules } from '../networks/plugin-rules.ts'
import type { MultusReader } from '../networks/selection.ts'
import { findPlugin, pluginFolders } from '../spec/plugin.ts'
import { type Conf, readDelegates } from './config.ts'
import type { Request } from './request.ts'

/** What a pod may use, and who reads what it asks for. */
export interface NetworkRules {
  readonly multusReader: MultusReader
  /** Namespaces whose networks anyone may use, beside `default`. */
  readonly shared: readonly string[]
  readonly plugins: PluginRules
  /** Told of what a pod asks for and kactus does not obey. */
  readonly log: Log
}

/** Its two executables: the plugin itself, and the one that calls its daemon. */
const MULTUS = ['multus', 'multus-shim']

/** Where the rules come from. */
export interface RuleSources {
  readonly conf: Conf
  readonly request: Request
  readonly log: Log
}

/** The rules of the configuration, on this host. */
export function rulesOf({ conf, request, log }: RuleSources): NetworkRules {
  const master = readDelegates(conf).find(({ isMaster }) => isMaster)
  const isMultus = master?.list.plugins.some(({ type }) => MULTUS.includes(type))
  const folders = pluginFolders(request.path)
  const isKactus = (plugin: string) => {
    const path = findPlugin(plugin, folders)
    return path !== undefined && isOwnProgram(path)
  }
  const multusReader = isMultus ? 'multus' : 'kactus'
  return {
    multusReader,
    shared: conf.sharedNamespaces,
    plugins: { allowed: conf.allowedPlugins, isKactus },
    log,
  }
}
