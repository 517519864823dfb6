import type { ConfList, PluginConf } from './conf.ts'
import { CniCode, CniError } from './errors.ts'
import { field, isJsonObject, type Json, type JsonObject, without } from './json.ts'
import type { CniCommand, PluginCall, PluginRunner } from './plugin.ts'
import { convertResult } from './result.ts'
import { atLeast } from './versions.ts'

/** What a network is attached to, and how. */
export interface AttachTo {
  readonly containerId: string
  /** Path of the network namespace; empty = gone already. */
  readonly netns: string
  readonly ifname: string
  /** CNI_ARGS. */
  readonly args: string
  /** Values for the capabilities that a plugin may declare. */
  readonly capabilityArgs: JsonObject
}

/** A container and interface that the runtime still has. */
export interface ValidAttachment {
  readonly containerID: string
  readonly ifname: string
}

/**
 * Runs ADD through a network's plugins.
 * @param first result to start from, for a network that continues another chain
 * @returns the last plugin's result in the list's version
 * @throws CniError of the first plugin that failed; those run before it are not undone
 */
export async function addChain(
  runner: PluginRunner,
  list: ConfList,
  to: AttachTo,
  first?: JsonObject,
): Promise<JsonObject> {
  let result = first
  for (const plugin of list.plugins) {
    const answer = await call(runner, 'ADD', { list, to, plugin, result })
    if (answer === undefined)
      throw new CniError(CniCode.DecodingFailure, `plugin ${plugin.type} ended well without a result`)
    result = convertResult(answer, list.cniVersion, list.cniVersion)
  }
  return result ?? {}
}

/**
 * Runs DEL through a network's plugins, last one first, all of them whatever fails.
 * @param result what ADD gave, where it is known
 * @throws CniError the first failure
 */
export async function delChain(runner: PluginRunner, list: ConfList, to: AttachTo, result?: JsonObject): Promise<void> {
  const known = atLeast(list.cniVersion, '0.4.0') ? result : undefined
  await callAll(list.plugins.toReversed(), plugin => call(runner, 'DEL', { list, to, plugin, result: known }))
}

/**
 * Runs CHECK through a network's plugins with the result of its ADD.
 * @throws CniError the first failure
 */
export async function checkChain(
  runner: PluginRunner,
  list: ConfList,
  to: AttachTo,
  result: JsonObject,
): Promise<void> {
  if (list.disableCheck || !atLeast(list.cniVersion, '0.4.0')) return
  for (const plugin of list.plugins) await call(runner, 'CHECK', { list, to, plugin, result })
}

/**
 * Asks a network's plugins whether they could serve an ADD; those of a version without STATUS cannot be asked.
 * @throws CniError the first failure
 */
export async function statusChain(runner: PluginRunner, list: ConfList): Promise<void> {
  if (!atLeast(list.cniVersion, '1.1.0')) return
  for (const plugin of list.plugins) await call(runner, 'STATUS', { list, plugin })
}

/**
 * Tells a network's plugins what is still in use; those of a version without GC are left alone.
 * @throws CniError the first failure, after all ran
 */
export async function gcChain(runner: PluginRunner, list: ConfList, valid: readonly ValidAttachment[]): Promise<void> {
  if (list.disableGC || !atLeast(list.cniVersion, '1.1.0')) return
  const attachments = valid.map(({ containerID, ifname }) => ({ containerID, ifname }))
  // libcni once wrote the second key; plugins built against it read only that one.
  const more = { 'cni.dev/valid-attachments': attachments, 'cni.dev/attachments': attachments }
  await callAll(list.plugins, plugin =>
    call(runner, 'GC', { list, plugin, more }).catch(error => {
      if (!knowsNoGc(error)) throw error
    }),
  )
}

/** To a plugin built before there was GC the command, or the version that has it, is a mistake of its caller. */
function knowsNoGc(error: unknown): boolean {
  const codes: readonly number[] = [CniCode.InvalidEnvironment, CniCode.IncompatibleVersion]
  return error instanceof CniError && codes.includes(error.code)
}

interface Step {
  readonly list: ConfList
  readonly plugin: PluginConf
  readonly to?: AttachTo
  readonly result?: JsonObject | undefined
  /** Keys that only this command has. */
  readonly more?: JsonObject
}

function call(runner: PluginRunner, command: CniCommand, step: Step): Promise<Json | undefined> {
  const { list, plugin, to, result, more } = step
  const runtimeConfig = to === undefined ? undefined : declared(plugin, to.capabilityArgs)
  const fixed = field(plugin, 'runtimeConfig') ?? null
  const config: PluginConf = {
    // `type` comes first only so that the type checker sees it stay.
    type: plugin.type,
    ...without(plugin, isReserved),
    name: list.name,
    cniVersion: list.cniVersion,
    // What somebody wrote there stays; bandwidth limits of a network are written so.
    ...(runtimeConfig && { runtimeConfig: { ...(isJsonObject(fixed) && fixed), ...runtimeConfig } }),
    ...(result && { prevResult: result }),
    ...more,
  }
  return runner.run({ command, type: plugin.type, config, variables: variablesOf(command, to) })
}

/** Keys that only a runtime may set, for one call; in a configuration they would be somebody's stale copy. */
function isReserved(key: string): boolean {
  return key === 'capabilities' || key === 'prevResult' || key.startsWith('cni.dev/')
}

/** Without an attachment the variables of one are taken away, not left as our own caller set them. */
function variablesOf(command: CniCommand, to: AttachTo | undefined): PluginCall['variables'] {
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: to?.containerId,
    CNI_NETNS: to?.netns,
    CNI_IFNAME: to?.ifname,
    CNI_ARGS: to?.args,
  }
}

/** The values of those capabilities that the plugin says it has. */
function declared(plugin: PluginConf, values: JsonObject): JsonObject | undefined {
  const capabilities = field(plugin, 'capabilities')
  if (!isJsonObject(capabilities)) return undefined
  const taken = without(values, key => field(capabilities, key) !== true)
  return Object.keys(taken).length > 0 ? taken : undefined
}

async function callAll(plugins: readonly PluginConf[], one: (plugin: PluginConf) => Promise<unknown>): Promise<void> {
  const failures: unknown[] = []
  for (const plugin of plugins) await one(plugin).catch(error => failures.push(error))
  if (failures.length > 0) throw failures[0]
}
