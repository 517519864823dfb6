import { orNothing, type Parse, path } from './parsers.ts'

/** One setting: its names, its default, how it is read and what it does. README's table is printed from these. */
export interface Setting<T> {
  readonly section: string
  readonly key: string
  /** Environment names of the seeds that mean the same. */
  readonly aliases: readonly string[]
  /** Read like any other value; undefined = must be set. */
  readonly fallback: string | undefined
  readonly parse: Parse<T>
  readonly describe: string
}

/** What a section says of a setting. Its key is the name of its value with dashes, without the unit: `timeoutMs`, `timeout`. */
interface SettingRow<T> {
  readonly aliases?: readonly string[]
  /** Empty unless told. */
  readonly fallback?: string
  /** It has no default: it must be set. */
  readonly required?: true
  readonly parse: Parse<T>
  readonly describe: string
}

/** The settings of one section, by the names of their values. */
export type Section = Readonly<Record<string, Setting<unknown>>>

/** A section as values. */
export type Values<S extends Section> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never }

type SettingsOf<R> = { readonly [K in keyof R]: R[K] extends SettingRow<infer T> ? Setting<T> : never }

/** Makes a section of `nopal.ini` of its rows. */
export function section<R extends Readonly<Record<string, SettingRow<unknown>>>>(name: string, rows: R): SettingsOf<R> {
  const settings = Object.entries(rows).map(([value, { required, ...row }]) => {
    const key = value.replace(/Ms$/, '').replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
    const setting: Setting<unknown> = { section: name, key, aliases: [], fallback: required ? undefined : '', ...row }
    return [value, setting] as const
  })
  // Each setting is its own row, filled up.
  return Object.fromEntries(settings) as SettingsOf<R>
}

/** Of a secret's row, the row of the file that the secret may be in instead. */
export function fileOf({ aliases = [] }: Pick<SettingRow<unknown>, 'aliases'>, describe: string) {
  return { aliases: aliases.map(alias => `${alias}_FILE`), parse: orNothing(path), describe }
}

/** The environment name of a setting: `NOPAL_VERIFY_CHECK_TIMEOUT`. */
export function environmentName(row: { readonly section: string; readonly key: string }): string {
  return `NOPAL_${row.section}_${row.key}`.replaceAll('-', '_').toUpperCase()
}
