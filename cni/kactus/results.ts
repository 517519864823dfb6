import type { ConfList } from '../spec/conf.ts'
import { type JsonObject, sameJson } from '../spec/json.ts'
import { type CniResult, convertResult, parseResult, printResult } from '../spec/result.ts'
import type { Conf } from './config.ts'

/** The result that the default network goes on from, where plugins came before us in a chain. */
export function firstResult(conf: Conf, list: ConfList): JsonObject | undefined {
  return conf.prevResult && convertResult(conf.prevResult, conf.cniVersion, list.cniVersion)
}

/**
 * What the runtime is told: the default network's result, beside what came before us.
 * @throws CniError 1 where the runtime's version cannot say it
 */
export function finalResult(conf: Conf, list: ConfList, result: JsonObject): JsonObject {
  if (conf.prevResult === undefined) return convertResult(result, list.cniVersion, conf.cniVersion)
  const before = parseResult(conf.prevResult, conf.cniVersion)
  return printResult(mergeResults(before, parseResult(result, list.cniVersion)), conf.cniVersion)
}

/** All of both, what is in both only once. A plugin that passes its prevResult on loses nothing and doubles nothing. */
export function mergeResults(before: CniResult, after: CniResult): CniResult {
  const kept = before.interfaces.filter(entry => !holds(after.interfaces, entry))
  const interfaces = [...after.interfaces, ...kept]
  const ips = before.ips.map(ip => moved(ip, before.interfaces, interfaces))
  return {
    interfaces,
    ips: [...after.ips, ...ips.filter(ip => !holds(after.ips, ip))],
    routes: [...after.routes, ...before.routes.filter(route => !holds(after.routes, route))],
    dns: Object.keys(after.dns).length > 0 ? after.dns : before.dns,
  }
}

/** An address says by its position which interface it is on. */
function moved(ip: JsonObject, from: readonly JsonObject[], to: readonly JsonObject[]): JsonObject {
  const index = typeof ip.interface === 'number' ? from[ip.interface] : undefined
  if (index === undefined) return ip
  return { ...ip, interface: to.findIndex(entry => sameJson(entry, index)) }
}

function holds(list: readonly JsonObject[], item: JsonObject): boolean {
  return list.some(entry => sameJson(entry, item))
}
