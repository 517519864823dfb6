import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { CniCode, CniError } from './errors.ts'
import { field, isJsonObject, type Json, JsonError, type JsonObject, parseJson } from './json.ts'
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

export interface FoundConf {
  readonly path: string
  readonly list: ConfList
}

export interface ReadConfOptions {
  /** File names (without folder) to pass over. */
  readonly skip?: (name: string) => boolean
  /** Told of each file that was passed over because it is no valid configuration. */
  readonly onFault?: (path: string, error: unknown) => void
}

const EXTENSIONS = ['.conf', '.conflist', '.json']

/** The first valid configuration of a folder in the order of names, as a container runtime picks it; a missing folder holds none. */
export async function readFirstConf(folder: string, options: ReadConfOptions = {}): Promise<FoundConf | undefined> {
  for (const name of (await listFolder(folder)).filter(name => EXTENSIONS.includes(extname(name)))) {
    if (options.skip?.(name)) continue
    const path = join(folder, name)
    try {
      return { path, list: await readConf(path) }
    } catch (error) {
      options.onFault?.(path, error)
    }
  }
  return undefined
}

/**
 * Reads one `.conf` or `.conflist` file.
 * @throws CniError 6 or 7
 */
export async function readConf(path: string): Promise<ConfList> {
  const text = await readFile(path, 'utf8').catch(error => {
    throw new CniError(CniCode.IoFailure, `${path} cannot be read`, { cause: error })
  })
  const document = parseDocument(text, path)
  // Since 1.1.0 further plugins may lie in a folder of the network's name beside its list.
  const more = Array.isArray(field(document, 'plugins')) ? await readMorePlugins(path, document) : []
  return confListFrom(document, more)
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

async function readMorePlugins(path: string, document: JsonObject): Promise<readonly PluginConf[]> {
  const name = field(document, 'name')
  if (flag(document, 'loadOnlyInlinedPlugins') || typeof name !== 'string' || networkNameFault(name)) return []
  const folder = join(dirname(path), name)
  const files = (await listFolder(folder)).filter(file => extname(file) === '.conf').map(file => join(folder, file))
  return Promise.all(files.map(async file => pluginFrom(parseDocument(await readFile(file, 'utf8'), file))))
}

function parseDocument(text: string, path: string): JsonObject {
  try {
    const document = parseJson(text)
    if (isJsonObject(document)) return document
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw new CniError(CniCode.DecodingFailure, `${basename(path)} is no JSON: ${error.message}`, { cause: error })
  }
  throw new CniError(CniCode.DecodingFailure, `${basename(path)} is no JSON object`)
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}

function invalid(message: string, details?: string): CniError {
  return new CniError(CniCode.InvalidNetworkConfig, message, { details })
}
