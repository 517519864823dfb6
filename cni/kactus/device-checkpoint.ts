import { field, isJsonObject, type Json, type JsonObject, parseJson } from '../spec/json.ts'

/**
 * Reads from the device manager's checkpoint file which devices of a resource a pod was granted.
 * Up to Kubernetes 1.19 the ids are a list, since then lists by NUMA node.
 * @returns undefined = the file does not know the pod, or is not understood
 */
export function devicesInCheckpoint(text: string, podUid: string, resource: string): readonly string[] | undefined {
  const document = parseJson(text)
  const data = isJsonObject(document) ? field(document, 'Data') : undefined
  const entries = data !== undefined && isJsonObject(data) ? field(data, 'PodDeviceEntries') : undefined
  if (!Array.isArray(entries)) return undefined
  const ofPod = (entries as readonly Json[]).filter(isJsonObject).filter(entry => field(entry, 'PodUID') === podUid)
  if (ofPod.length === 0) return undefined
  return ofPod.filter(entry => field(entry, 'ResourceName') === resource).flatMap(idsOf)
}

function idsOf(entry: JsonObject): readonly string[] {
  const ids = field(entry, 'DeviceIDs') ?? null
  const lists = isJsonObject(ids) ? Object.values(ids) : [ids]
  return lists
    .flatMap(list => (Array.isArray(list) ? (list as readonly Json[]) : []))
    .filter(id => typeof id === 'string')
}
