import { CniError } from '../spec/errors.ts'
import { isJsonObject, type Json } from '../spec/json.ts'
import { KactusCode } from './codes.ts'
import type { NetworkObject } from './network-object.ts'
import { quote } from './request.ts'

/** Which plugins a Network may name. They run as root, with a configuration that its author has written. */
export interface PluginRules {
  /** undefined = all, but never kactus. */
  readonly allowed: readonly string[] | undefined
  /** Whether the executable of that name is kactus under another name. */
  readonly isKactus: (plugin: string) => boolean
}

/**
 * Refuses a network that names a plugin it may not. Whoever writes its configuration would choose kactus' own too: which
 * file it logs to, whose kubeconfig it reads, which server gets the token.
 * @throws CniError
 */
export function refusePlugins({ kind, namespace, name, plugin, config }: NetworkObject, rules: PluginRules): void {
  for (const text of textsOf({ plugin: plugin ?? null, config }, '')) {
    const fault = faultOf(text, rules)
    if (fault === undefined) continue
    const where = text.path.replace(/^\.(config\.)?/, '')
    const message = `${kind} ${namespace}/${name}: "${where}" ${fault}: ${quote(text.value)}`
    throw new CniError(KactusCode.PluginRefused, message)
  }
}

/** Whether a text names kactus, by any of its names, as a path or by one of its configuration files or networks. */
export function namesKactus(text: string): boolean {
  const name =
    text
      .trim()
      .toLowerCase()
      .split(/[/\\]/)
      .findLast(part => part !== '') ?? ''
  return /^(\d+-)?kactus([-_.].*)?$/.test(name)
}

interface FoundText {
  /** `.config.ipam.type` */
  readonly path: string
  readonly key: string
  readonly value: string
}

/** Every text at any depth: which key of a meta plugin leads to another plugin only that plugin knows. */
function textsOf(value: Json, path: string, key = ''): readonly FoundText[] {
  if (typeof value === 'string') return [{ path, key, value }]
  if (Array.isArray(value))
    return (value as readonly Json[]).flatMap((item, at) => textsOf(item, `${path}[${at}]`, key))
  if (!isJsonObject(value)) return []
  return Object.entries(value).flatMap(([inner, item]) => textsOf(item, `${path}.${inner}`, inner))
}

function faultOf({ key: written, value }: FoundText, { allowed, isKactus }: PluginRules): string | undefined {
  // Plugins in Go read a key in any case.
  const key = written.toLowerCase()
  const isPlugin = key === 'type' || key === 'plugin'
  if (!NOT_CALLED.includes(key) && namesKactus(value)) return 'leads to kactus, which no network may'
  if (!isPlugin) return undefined
  if (isKactus(value)) return 'is kactus under another name, which no network may run'
  return allowed === undefined || allowed.includes(value) ? undefined : 'is none of "allowedPlugins"'
}

/** A name that is given, not one that is looked for. */
const NOT_CALLED = ['name', 'networkname']
