import { Registry, thisProcess } from '../machine/registry.ts'

/** Every run of a lab, for scripts/lab-clean.sh too: `owner` is the process that made it, `folders` are to be removed. */
const registry = new Registry('/run/nopal-lab')

/** Where every run is listed. */
export const registryFolder = registry.folder

/** Every process of a run carries the run's id in this variable. Not NOPAL_...: the agent refuses names it does not know. */
export const runVariable = 'LAB_RUN_OF_NOPAL'

/** Lists a run with its owner and its folder. */
export function enlist(id: string, folder: string): void {
  const { pid, startTime } = thisProcess()
  registry.claim(id, { owner: `${pid} ${startTime}\n`, folders: `${folder}\n` })
}

/** Notes one more folder that must go with the run. */
export function noteFolder(id: string, folder: string): void {
  registry.write(id, 'folders', `${registry.read(id, 'folders') ?? ''}${folder}\n`)
}

/** Every run on the list with the process that owns it. */
export function listedRuns(): { readonly id: string; readonly owner: number }[] {
  return registry.ids().map(id => ({ id, owner: Number.parseInt(registry.read(id, 'owner') ?? '', 10) }))
}

/** Takes a run off the list. */
export function delist(id: string): void {
  registry.release(id)
}
