/** Every released version of the specification, oldest first. Only exact members are understood, never ranges. */
export const SUPPORTED_VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const

export type CniVersion = (typeof SUPPORTED_VERSIONS)[number]

export const NEWEST_VERSION: CniVersion = '1.1.0'
/** What a configuration without `cniVersion` means. */
export const DEFAULT_VERSION: CniVersion = '0.1.0'

export function isSupportedVersion(value: unknown): value is CniVersion {
  return SUPPORTED_VERSIONS.some(version => version === value)
}

/** Whether a version is the other or newer. */
export function atLeast(version: CniVersion, other: CniVersion): boolean {
  return SUPPORTED_VERSIONS.indexOf(version) >= SUPPORTED_VERSIONS.indexOf(other)
}

/** The newest of some versions that we speak; undefined = none of them. */
export function newestOf(versions: readonly unknown[]): CniVersion | undefined {
  return SUPPORTED_VERSIONS.findLast(version => versions.includes(version))
}
