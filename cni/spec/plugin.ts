import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { PluginConf } from './conf.ts'
import type { Json } from './json.ts'

export type CniCommand = 'ADD' | 'DEL' | 'CHECK' | 'STATUS' | 'GC' | 'VERSION'

/** One run of one plugin executable. */
export interface PluginCall {
  readonly command: CniCommand
  readonly type: string
  /** The complete configuration for its stdin. */
  readonly config: PluginConf
  /** The variables of the protocol, undefined = unset; the rest of the environment is the runner's. */
  readonly variables: Readonly<Record<string, string | undefined>>
}

/** Runs plugins. The real one starts processes. */
export interface PluginRunner {
  /** @throws CniError where no executable of that name is to be found */
  find(type: string): Promise<string>
  /**
   * @returns what it said on stdout; undefined = nothing
   * @throws CniError with the plugin's own code and message
   */
  run(call: PluginCall): Promise<Json | undefined>
}

/** The folders of CNI_PATH. Relative ones are left out: what the working directory holds must not run as root. */
export function pluginFolders(cniPath: string): readonly string[] {
  return cniPath.split(':').filter(folder => folder.startsWith('/'))
}

/** The first regular file of that bare name, from left to right; undefined = none. */
export function findPlugin(type: string, folders: readonly string[]): string | undefined {
  return folders.map(folder => join(folder, type)).find(isFile)
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}
