import type { ValidAttachment } from '../spec/chain.ts'
import { CniCode, CniError } from '../spec/errors.ts'
import { field, isJsonObject, type Json, type JsonObject } from '../spec/json.ts'
import { containerIdFault, interfaceNameFault } from '../spec/names.ts'

/** libcni once wrote the second key. */
const KEYS = ['cni.dev/valid-attachments', 'cni.dev/attachments']

/**
 * What the runtime says is still attached; undefined = it does not say, so nothing may be taken for stale.
 * @throws CniError 7: from a list that is not understood nothing follows
 */
export function validAttachments(document: JsonObject): readonly ValidAttachment[] | undefined {
  const lists = KEYS.map(key => field(document, key) ?? null).filter(list => list !== null)
  const [list] = lists
  if (list === undefined) return undefined
  if (!Array.isArray(list)) throw invalid('is no list')
  return (list as readonly Json[]).map(readOne)
}

function readOne(entry: Json): ValidAttachment {
  const containerID = isJsonObject(entry) ? field(entry, 'containerID') : undefined
  const ifname = isJsonObject(entry) ? field(entry, 'ifname') : undefined
  const isWell = typeof containerID === 'string' && typeof ifname === 'string'
  if (!isWell || containerIdFault(containerID) !== undefined || interfaceNameFault(ifname) !== undefined) {
    throw invalid('has an entry without a valid "containerID" and "ifname"')
  }
  return { containerID, ifname }
}

function invalid(fault: string): CniError {
  return new CniError(CniCode.InvalidNetworkConfig, `"${KEYS[0]}" ${fault}`)
}
