import { statusChain } from '../spec/chain.ts'
import { CniCode, CniError, toCniError } from '../spec/errors.ts'
import { findPlugins } from './attach.ts'
import type { Call } from './call.ts'
import { readDelegates } from './config.ts'

/**
 * Says whether an ADD could be served now. It asks the delegates, and never the API: that would be asked by every
 * node every few seconds.
 * @throws CniError 50, or 51 where a delegate says that running pods suffer too
 */
export async function status(call: Call): Promise<undefined> {
  const { conf, runner, store } = call
  const lists = readDelegates(conf).map(({ list }) => list)
  const questions = [
    () => store.prepare(),
    () => call.canLookUp(),
    () => findPlugins(runner, lists),
    ...lists.map(list => () => statusChain(runner, list)),
  ]
  const failures: CniError[] = []
  for (const question of questions) await question().catch(error => failures.push(toCniError(error)))
  const [first] = failures
  if (first === undefined) return
  const isWorse = failures.some(({ code }) => code === CniCode.LimitedConnectivity)
  const code = isWorse ? CniCode.LimitedConnectivity : CniCode.PluginNotAvailable
  const message = [...new Set(failures.map(failure => failure.message))].join('; ')
  throw new CniError(code, message, { details: first.details, cause: first })
}
