import { CniCode, CniError } from './errors.ts'
import { field, isJsonObject, type Json, type JsonObject } from './json.ts'
import { networkNameFault, pluginTypeFault } from './names.ts'
import { type CniVersion, DEFAULT_VERSION, isSupportedVersion, newestOf } from './versions.ts'

/** One plugin of a network: its own configuration as it was written, with a `type` that is a bare file name. */
export interface PluginConf {
  readonly type: string
  readonly [key: string]: Json
}

/** A network: plugins run in order, each after the first with the result of the one before it. */
export interface ConfList {
  readonly name: string
  readonly cniVersion: CniVersion
  readonly disableCheck: boolean
  readonly disableGC: boolean
  readonly plugins: readonly PluginConf[]
}

/**
 * Checks a parsed configuration, a list of plugins or a single one.
 * @param more plugins that came from elsewhere, to run after those in the document
 * @throws CniError 7
 */
export function confListFrom(document: JsonObject, more: readonly PluginConf[] = []): ConfList {
  const name = field(document, 'name')
  if (typeof name !== 'string') throw invalid('the configuration has no name')
  const fault = networkNameFault(name)
  if (fault !== undefined) throw invalid(`the configuration's name ${fault}`, name)
  return {
    name,
    cniVersion: versionOf(document),
    disableCheck: flag(document, 'disableCheck'),
    disableGC: flag(document, 'disableGC'),
    plugins: pluginsOf(document, more),
  }
}

/** Reads a `true` or `false` that people also write as a string; absent = false. */
export function flag(document: JsonObject, key: string): boolean {
  const value = field(document, key)
  if (value === undefined || value === null || value === false) return false
  if (value === true) return true
  const text = typeof value === 'string' ? value.toLowerCase() : ''
  if (text === 'true') return true
  if (text === 'false') return false
  throw invalid(`"${key}" is neither true nor false`)
}

/**
 * Checks the configuration of one plugin.
 * @throws CniError 7
 */
export function pluginFrom(value: Json): PluginConf {
  if (!isJsonObject(value)) throw invalid('a plugin of the configuration is no object')
  const type = field(value, 'type')
  const fault = pluginTypeFault(type)
  if (fault !== undefined || typeof type !== 'string') {
    throw invalid(`the "type" of a plugin ${fault}`, JSON.stringify(type ?? null).slice(0, 80))
  }
  return { ...value, type }
}

function pluginsOf(document: JsonObject, more: readonly PluginConf[]): readonly PluginConf[] {
  const plugins = field(document, 'plugins')
  if (plugins === undefined) return [pluginFrom(document)]
  if (!Array.isArray(plugins)) throw invalid('"plugins" is no list')
  const all = [...(plugins as readonly Json[]).map(pluginFrom), ...more]
  if (all.length === 0) throw invalid('the configuration has no plugins')
  return all
}

function versionOf(document: JsonObject): CniVersion {
  const several = field(document, 'cniVersions')
  const single = field(document, 'cniVersion')
  if (Array.isArray(several)) {
    const newest = newestOf([...several, single])
    if (newest !== undefined) return newest
  }
  if (single === undefined || single === null || single === '') return DEFAULT_VERSION
  if (isSupportedVersion(single)) return single
  throw new CniError(CniCode.IncompatibleVersion, `cniVersion ${JSON.stringify(single)} is not supported`)
}

function invalid(message: string, details?: string): CniError {
  return new CniError(CniCode.InvalidNetworkConfig, message, { details })
}
