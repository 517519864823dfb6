import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errorCode, isMissing, orMissing } from '../host/system-error.ts'
import { type ConfList, confListFrom, flag, type PluginConf, pluginFrom } from './conf.ts'
import { CniCode, CniError } from './errors.ts'
import { field, isJsonObject, type JsonError, type JsonObject, parseJsonOr } from './json.ts'
import { networkNameFault } from './names.ts'

/** A file that a runtime would look at for its default network. */
export type ConfFile =
  | NetworkFile
  /** Runtimes take it, but it is nobody's default network. */
  | { readonly kind: 'loopback'; readonly path: string }
  /** No runtime takes it: a list in a `.conf`, a single plugin in a `.conflist`, plugins without a type. */
  | { readonly kind: 'refused'; readonly path: string; readonly error: CniError }
  /** Not readable, not even JSON (half-written more often than broken), or nothing that we could obey. */
  | { readonly kind: 'unreadable'; readonly path: string; readonly error: unknown }

export interface NetworkFile {
  readonly kind: 'network'
  readonly path: string
  readonly list: ConfList
  /** Every file that the list was read from, links followed. */
  readonly sources: readonly string[]
}

/** Where a path leads; the path itself, unless the folder is seen below another root than its links were made for. */
export type FollowLinks = (path: string) => string

const listExtension = '.conflist'
const extensions = ['.conf', listExtension, '.json']

/**
 * The files of a conf folder in the order of their names, as libcni reads them, each read when it is asked for. What is no
 * file (folders, sockets, links that lead nowhere) or has another ending is passed over. A missing folder holds none.
 */
export async function* readConfFolder(folder: string, follow: FollowLinks = path => path): AsyncGenerator<ConfFile> {
  for (const name of await listFolder(folder)) {
    if (!extensions.includes(extensionOf(name))) continue
    const path = join(folder, name)
    try {
      const real = follow(path)
      if (!(await isFile(real))) continue
      const { list, sources } = await readNetwork(path, follow)
      const isLoopback = list.plugins.every(({ type }) => type === 'loopback')
      yield isLoopback ? { kind: 'loopback', path } : { kind: 'network', path, list, sources }
    } catch (error) {
      yield error instanceof Refusal ? { kind: 'refused', path, error } : { kind: 'unreadable', path, error }
    }
  }
}

/** The first network of a folder, as a container runtime picks it. */
export async function readFirstConf(
  folder: string,
  options: { readonly follow?: FollowLinks; readonly onFault?: (path: string, error: unknown) => void } = {},
): Promise<NetworkFile | undefined> {
  for await (const file of readConfFolder(folder, options.follow)) {
    if (file.kind === 'network') return file
    if (file.kind !== 'loopback') options.onFault?.(file.path, file.error)
  }
  return undefined
}

/** libcni refuses the document as a whole; trying again is of no use. */
class Refusal extends CniError {
  constructor(message: string) {
    super(CniCode.InvalidNetworkConfig, message)
  }
}

type Network = Pick<NetworkFile, 'list' | 'sources'>

async function readNetwork(path: string, follow: FollowLinks): Promise<Network> {
  const file = follow(path)
  const document = await readDocument(file)
  if (extensionOf(path) !== listExtension) return { list: singleFrom(document), sources: [file] }
  refuseUnlessList(document)
  // Since 1.1.0 further plugins may lie in a folder of the network's name beside its list.
  const more = await readMorePlugins(path, document, follow)
  const plugins = field(document, 'plugins') ?? []
  if (more.length === 0 && field(document, 'plugins') === undefined) {
    throw new Refusal(`is named ${listExtension} and has no "plugins"`)
  }
  const list = confListFrom(
    { ...document, plugins },
    more.map(({ plugin }) => plugin),
  )
  return { list, sources: [file, ...more.map(each => each.file)] }
}

/** One plugin with a name; whatever else a list could say is the plugin's own. */
function singleFrom(document: JsonObject): ConfList {
  if (!hasType(document)) {
    const isList = field(document, 'plugins') !== undefined
    throw new Refusal(isList ? `holds a list, but is not named ${listExtension}` : 'names no plugin ("type")')
  }
  const said = Object.entries(document).filter(([key]) => key === 'name' || key === 'cniVersion')
  return confListFrom({ ...Object.fromEntries(said), plugins: [document] })
}

function refuseUnlessList(document: JsonObject): void {
  const fault = listFault(document)
  if (fault !== undefined) throw new Refusal(fault)
}

/** Why libcni takes a document for no list; undefined = it does. */
function listFault(document: JsonObject): string | undefined {
  const [version, plugins] = [field(document, 'cniVersion'), field(document, 'plugins')]
  if (typeof field(document, 'name') !== 'string') return 'has no name'
  if (version !== undefined && typeof version !== 'string') return 'has a cniVersion that is no text'
  if (plugins === undefined) return undefined
  if (!Array.isArray(plugins) || plugins.length === 0) return 'has no list of plugins'
  return plugins.every(hasType) ? undefined : 'has a plugin without a type'
}

function hasType(plugin: unknown): boolean {
  if (!isJsonObject(plugin)) return false
  const type = field(plugin, 'type')
  return typeof type === 'string' && type !== ''
}

interface FurtherPlugin {
  readonly file: string
  readonly plugin: PluginConf
}

async function readMorePlugins(
  path: string,
  document: JsonObject,
  follow: FollowLinks,
): Promise<readonly FurtherPlugin[]> {
  const name = String(field(document, 'name'))
  if (flag(document, 'loadOnlyInlinedPlugins') || networkNameFault(name)) return []
  const folder = follow(join(dirname(path), name))
  const files = (await listFolder(folder)).filter(file => extensionOf(file) === '.conf')
  return Promise.all(
    files.map(async each => {
      const file = follow(join(folder, each))
      const plugin = await readDocument(file)
      if (!hasType(plugin)) throw new Refusal(`takes a plugin without a type from ${join(name, each)}`)
      return { file, plugin: pluginFrom(plugin) }
    }),
  )
}

/** @throws CniError 5 or 6 */
async function readDocument(path: string): Promise<JsonObject> {
  const text = await readFile(path, 'utf8').catch(error => {
    throw new CniError(CniCode.IoFailure, `${path} cannot be read`, { cause: error })
  })
  // Whole or half-written: to libcni it never becomes JSON.
  if (text.startsWith('\ufeff')) throw new Refusal('begins with a byte order mark')
  const noJson = (cause: JsonError) =>
    new CniError(CniCode.DecodingFailure, `${basename(path)} is no JSON: ${cause.message}`, { cause })
  const document = parseJsonOr(text, noJson)
  if (isJsonObject(document)) return document
  throw new Refusal('is no JSON object')
}

/** As Go has it: the ending from the last dot on, also where that is the first character. */
function extensionOf(name: string): string {
  return /\.[^./]*$/.exec(name)?.[0] ?? ''
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch (error) {
    if (isMissing(error) || errorCode(error) === 'ELOOP') return false
    throw error
  }
}

async function listFolder(folder: string): Promise<string[]> {
  return ((await readdir(folder).catch(orMissing)) ?? []).sort()
}
