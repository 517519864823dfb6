import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { errorCode } from '../../cni/host/system-error.ts'
import { labelSelector } from '../config/label-selector.ts'
import { oneOf, type Parse, ValueFault } from '../config/parsers.ts'
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

/** What is asked, and the level that Canada Kaktus' file wants of the log; undefined = it does not say. */
export interface PoolInput {
  readonly query: ServerQuery
  readonly logLevel: LogLevel | undefined
}

type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/**
 * Whose servers are asked for, and with which token, as files have it now.
 * @throws SecretError, ConfigFileError
 */
export async function readPoolInput(settings: PoolSettings): Promise<PoolInput> {
  const path = settings.configFile
  const file = path === undefined ? undefined : await readConfigFile(path)
  const token = file?.token || (await readSecret({ text: settings.hcloudToken, file: settings.hcloudTokenFile }))
  return { query: { token, selector: file?.selector ?? settings.labelSelector }, logLevel: file?.logLevel }
}

async function readConfigFile(path: string) {
  const fail = (why: string): never => {
    // What the parser says of a bad text quotes it, so it is no cause that is kept.
    throw new ConfigFileError(`${path}: ${why}`)
  }
  const text = await readFile(path, 'utf8').catch(error => fail(`cannot be read (${errorCode(error) ?? 'unknown'})`))
  const result = v.safeParse(fileShape, parse(text))
  if (!result.success) return fail(describe(result.issues[0]))
  const { LogLevel: level, LabelSelector: selector, HcloudToken: token } = result.output
  try {
    return {
      token,
      selector: field('LabelSelector', labelSelector, selector),
      logLevel: field('LogLevel', oneOf('debug', 'info', 'warn', 'error'), level),
    }
  } catch (error) {
    if (error instanceof ValueFault) return fail(error.message)
    throw error
  }
}

function field<T>(name: string, parser: Parse<T>, text: string | undefined): T | undefined {
  try {
    return text === undefined ? undefined : parser(text)
  } catch (error) {
    if (error instanceof ValueFault) throw new ValueFault(`${name} ${error.message}`)
    throw error
  }
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    // An array passes for an object with numbers as its keys.
    return Array.isArray(value) ? undefined : value
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
