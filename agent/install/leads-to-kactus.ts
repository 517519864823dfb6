import { basename, extname } from 'node:path'
import type { NetworkFile } from '../../cni/spec/conf-folder.ts'
import { isJsonObject, type Json } from '../../cni/spec/json.ts'
import { networkName } from './conf.ts'
import { binaryName, confName, earlyConfName } from './paths.ts'

/** Keys whose text names the network itself, or a device: nothing that is called. */
const plainKeys = new Set(['name', 'bridge', 'master', 'device', 'ifName'])

/**
 * Whether a network leads to kactus: through kactus itself, through what a meta plugin carries (`delegates`), or through what
 * one refers to by path or by name, such as multus' `clusterNetwork`, by way of the folder's other files too. Wrapping it
 * would never end.
 * @param folder of the configuration, as the host sees it
 */
export function leadsToKactus(file: NetworkFile, all: readonly NetworkFile[], folder: string): boolean {
  const seen = new Set<NetworkFile>()
  const leads = (one: NetworkFile): boolean => {
    if (seen.has(one)) return false
    seen.add(one)
    const mentions = mentionsOf(one.list.plugins)
    if (mentions.some(each => isKactus(each, folder))) return true
    return all.some(other => mentions.some(each => isMeant(each, other)) && leads(other))
  }
  return leads(file)
}

/** A word of a configuration, and the key it stands under. */
interface Mention {
  readonly key: string
  readonly word: string
}

/** Lists of names stand in one text as well as in a list. */
function mentionsOf(value: Json, key = ''): readonly Mention[] {
  if (typeof value === 'string') return value.split(/[\s,]+/).map(word => ({ key, word }))
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(each => mentionsOf(each, key))
  if (!isJsonObject(value)) return []
  return Object.entries(value).flatMap(([name, each]) => (plainKeys.has(name) ? [] : mentionsOf(each, name)))
}

const ownFiles = [confName, earlyConfName]
const ownNames = new Set([binaryName, networkName, ...ownFiles.flatMap(namesOf)])

function isKactus({ key, word }: Mention, folder: string): boolean {
  if (key === 'type') return word === binaryName
  if (!isPath(word)) return ownNames.has(bareName(word))
  // A folder stands for its first file, and that is ours; where a plugin looks names up is another matter.
  return (
    ownFiles.includes(basename(word)) || (!/dir|folder|path/i.test(key) && word.replace(/\/+$/, '').endsWith(folder))
  )
}

/** Paths count by their last part: a meta plugin names a file as its own container has it. */
function isMeant({ key, word }: Mention, { path, list }: NetworkFile): boolean {
  if (key === 'type') return false
  if (isPath(word)) return basename(word) === basename(path)
  return [list.name, ...namesOf(basename(path))].includes(bareName(word))
}

function isPath(word: string): boolean {
  return word.startsWith('/')
}

/** `namespace/name@interface` -> `name` */
function bareName(word: string): string {
  return word.replace(/^.*\//, '').replace(/@.*$/, '')
}

function namesOf(file: string): readonly string[] {
  return [file, basename(file, extname(file))]
}
