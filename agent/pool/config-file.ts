import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { errorCode } from '../../cni/host/system-error.ts'
import { labelSelector } from '../config/label-selector.ts'
import { ValueFault } from '../config/parsers.ts'
import type { PoolSettings } from '../config/settings.ts'
import { readSecret } from '../runtime/secret.ts'
import type { ServerQuery } from './list-servers.ts'

/** Canada Kaktus' config.json cannot be used. The message names the field and never the token. */
export class ConfigFileError extends Error {
  override readonly name = 'ConfigFileError'
  readonly code = 'BadConfigFile'
}

const fileShape = v.strictObject({
  LogLevel: v.optional(v.string()),
  LabelSelector: v.optional(v.string()),
  HcloudToken: v.optional(v.string()),
})

/**
 * Whose servers are asked for, and with which token, as files have it now.
 * @throws SecretError, ConfigFileError
 */
export async function readServerQuery(settings: PoolSettings): Promise<ServerQuery> {
  const file = settings.configFile === undefined ? {} : await readConfigFile(settings.configFile)
  const token = file.HcloudToken || (await readSecret({ text: settings.hcloudToken, file: settings.hcloudTokenFile }))
  return { token, selector: file.LabelSelector ?? settings.labelSelector }
}

async function readConfigFile(path: string): Promise<v.InferOutput<typeof fileShape>> {
  const fail = (why: string): never => {
    // What the parser says of a bad text quotes it, so it is no cause that is kept.
    throw new ConfigFileError(`${path}: ${why}`)
  }
  const text = await readFile(path, 'utf8').catch(error => fail(`cannot be read (${errorCode(error) ?? 'unknown'})`))
  const result = v.safeParse(fileShape, parse(text))
  if (!result.success) return fail(describe(result.issues[0]))
  try {
    if (result.output.LabelSelector !== undefined) labelSelector(result.output.LabelSelector)
  } catch (error) {
    if (error instanceof ValueFault) return fail(`LabelSelector ${error.message}`)
    throw error
  }
  return result.output
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function describe(issue: v.BaseIssue<unknown>): string {
  const field = v.getDotPath(issue)
  if (field === null) return 'is no JSON object'
  return issue.expected === 'never' ? `${field} is not known` : `${field} is no text`
}

/** Whether there is anything to ask Hetzner Cloud with. */
export function hasPool(pool: PoolSettings): boolean {
  return pool.hcloudToken !== '' || pool.hcloudTokenFile !== undefined || pool.configFile !== undefined
}
