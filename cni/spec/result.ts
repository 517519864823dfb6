import { CniCode, CniError } from './errors.ts'
import { field, isJsonObject, type Json, type JsonObject, without } from './json.ts'
import { atLeast, type CniVersion, isSupportedVersion } from './versions.ts'

/** What an ADD made, in the words of CNI 1.1; every other version is translated from and to this. */
export interface CniResult {
  readonly interfaces: readonly JsonObject[]
  readonly ips: readonly JsonObject[]
  readonly routes: readonly JsonObject[]
  readonly dns: JsonObject
}

/**
 * Reads the result of a plugin.
 * @param assumed the version of the configuration it was given: some plugins do not say theirs
 * @throws CniError 1 or 6
 */
export function parseResult(value: Json, assumed: CniVersion): CniResult {
  if (!isJsonObject(value)) throw malformed('is no object')
  const version = resultVersion(value, assumed)
  return atLeast(version, '0.3.0') ? parseNew(value) : parseOld(value)
}

/**
 * A plugin's result as the caller's version has it. One that is in that version already keeps all it says.
 * @throws CniError 1 or 6
 */
export function convertResult(value: Json, assumed: CniVersion, wanted: CniVersion): JsonObject {
  if (!isJsonObject(value)) throw malformed('is no object')
  const result = parseResult(value, assumed)
  if (resultVersion(value, assumed) === wanted) return { ...value, cniVersion: wanted }
  return printResult(result, wanted)
}

/**
 * A result in the words of one version.
 * @throws CniError 1 where that version cannot say it
 */
export function printResult(result: CniResult, version: CniVersion): JsonObject {
  if (!atLeast(version, '0.3.0')) return printOld(result, version)
  const newest = atLeast(version, '1.1.0')
  const interfaces = newest
    ? result.interfaces
    : result.interfaces.map(entry => omit(entry, ['mtu', 'socketPath', 'pciID']))
  const routes = newest ? result.routes : result.routes.map(entry => omit(entry, ROUTE_KEYS_OF_1_1))
  return {
    cniVersion: version,
    ...(interfaces.length > 0 && { interfaces }),
    ...(result.ips.length > 0 && { ips: result.ips.map(ip => (atLeast(version, '1.0.0') ? ip : withFamily(ip))) }),
    ...(routes.length > 0 && { routes }),
    dns: result.dns,
  }
}

const ROUTE_KEYS_OF_1_1 = ['mtu', 'advmss', 'priority', 'table', 'scope']

function resultVersion(value: JsonObject, assumed: CniVersion): CniVersion {
  const version = field(value, 'cniVersion')
  if (version === undefined || version === null || version === '') return assumed
  if (isSupportedVersion(version)) return version
  const details = JSON.stringify(version)
  throw new CniError(CniCode.IncompatibleVersion, 'a plugin answered in a cniVersion that is not supported', {
    details,
  })
}

function parseNew(value: JsonObject): CniResult {
  return {
    interfaces: objects(value, 'interfaces'),
    ips: objects(value, 'ips').map(ip => omit(checkedIp(ip), ['version'])),
    routes: objects(value, 'routes'),
    dns: object(value, 'dns'),
  }
}

/** Before 0.3.0: one address per family, each with its own routes, and no interfaces. */
function parseOld(value: JsonObject): CniResult {
  const families = [object(value, 'ip4'), object(value, 'ip6')].filter(family => Object.keys(family).length > 0)
  const ips = families.map(family => {
    const gateway = field(family, 'gateway')
    return checkedIp({ address: field(family, 'ip') ?? null, ...(gateway !== undefined && { gateway }) })
  })
  return {
    interfaces: [],
    ips,
    routes: families.flatMap(family => objects(family, 'routes')),
    dns: object(value, 'dns'),
  }
}

function printOld(result: CniResult, version: CniVersion): JsonObject {
  const ip4 = oldFamily(result, address => !address.includes(':'))
  const ip6 = oldFamily(result, address => address.includes(':'))
  if (ip4 === undefined && ip6 === undefined) {
    throw new CniError(
      CniCode.IncompatibleVersion,
      `a result without an address cannot be said in cniVersion ${version}`,
    )
  }
  return { cniVersion: version, ...(ip4 && { ip4 }), ...(ip6 && { ip6 }), dns: result.dns }
}

function oldFamily(result: CniResult, belongs: (address: string) => boolean): JsonObject | undefined {
  const ip = result.ips.find(ip => belongs(String(field(ip, 'address'))))
  if (ip === undefined) return undefined
  const gateway = field(ip, 'gateway')
  const routes = result.routes
    .filter(route => belongs(destinationOf(route)))
    .map(route => omit(route, ROUTE_KEYS_OF_1_1))
  return {
    ip: field(ip, 'address') ?? null,
    ...(gateway !== undefined && { gateway }),
    ...(routes.length > 0 && { routes }),
  }
}

function destinationOf(route: JsonObject): string {
  const destination = field(route, 'dst')
  if (typeof destination !== 'string') throw malformed('has a route without a destination')
  return destination
}

function withFamily(ip: JsonObject): JsonObject {
  return { version: String(field(ip, 'address')).includes(':') ? '6' : '4', ...ip }
}

function checkedIp(ip: JsonObject): JsonObject {
  if (typeof field(ip, 'address') !== 'string') throw malformed('has an address that is no string')
  return ip
}

function objects(value: JsonObject, key: string): readonly JsonObject[] {
  const list = field(value, key)
  if (list === undefined || list === null) return []
  if (!Array.isArray(list) || !list.every(isJsonObject)) throw malformed(`has "${key}" that are no list of objects`)
  return list
}

function object(value: JsonObject, key: string): JsonObject {
  const inner = field(value, key)
  if (inner === undefined || inner === null) return {}
  if (!isJsonObject(inner)) throw malformed(`has "${key}" that is no object`)
  return inner
}

function omit(value: JsonObject, keys: readonly string[]): JsonObject {
  return without(value, key => keys.includes(key))
}

function malformed(fault: string): CniError {
  return new CniError(CniCode.DecodingFailure, `the result of a plugin ${fault}`)
}
