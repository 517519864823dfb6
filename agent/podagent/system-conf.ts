import type { ConfList } from '../../cni/spec/conf.ts'
import { readFirstConf } from '../../cni/spec/conf-folder.ts'
import { field, isJsonObject, type Json, type JsonObject } from '../../cni/spec/json.ts'
import { followLinks, onHost } from '../runtime/host-root.ts'
import { PodagentError } from './errors.ts'
import type { KactusConf } from './plan.ts'

/** The configuration that the node's runtime attaches pods with, which is the one that podagent calls too. */
export interface SystemConf extends KactusConf {
  readonly list: ConfList
  /** kactus' state folder, as this process sees it. */
  readonly cniDir: string
}

const kactus = 'kactus'
const usualCniDir = '/var/lib/cni/kactus'
/** Multus' two executables: as the default network they read the pods' annotations themselves. */
const multus: readonly unknown[] = ['multus', 'multus-shim']

/**
 * Reads the first configuration of a folder.
 * @throws PodagentError NotKactus: any other plugin would take the call for one about the pod's default network
 */
export async function readSystemConf(confFolder: string, hostRoot: string): Promise<SystemConf> {
  const found = await readFirstConf(confFolder, { follow: followLinks(hostRoot) })
  const [plugin, ...more] = found?.list.plugins ?? []
  if (found === undefined || plugin?.type !== kactus || more.length > 0) {
    const what = found === undefined ? 'there is none' : `${found.path} is of ${plugin?.type}`
    throw new PodagentError('NotKactus', `the first CNI configuration is not one of kactus alone: ${what}`)
  }
  const told = field(plugin, 'cniDir')
  return {
    name: found.list.name,
    list: found.list,
    multusReader: leadsToMultus(plugin) ? 'multus' : 'kactus',
    cniDir: onHost(hostRoot)(typeof told === 'string' && told !== '' ? told : usualCniDir),
  }
}

function leadsToMultus(plugin: JsonObject): boolean {
  const delegates = objectsIn(field(plugin, 'delegates'))
  const isMaster = (delegate: JsonObject) =>
    [field(delegate, 'masterPlugin'), field(delegate, 'masterplugin')].includes(true)
  const master = delegates.find(isMaster) ?? delegates[0]
  if (master === undefined) return false
  const chain = field(master, 'plugins') === undefined ? [master] : objectsIn(field(master, 'plugins'))
  return chain.some(each => multus.includes(field(each, 'type')))
}

function objectsIn(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter(isJsonObject) : []
}
