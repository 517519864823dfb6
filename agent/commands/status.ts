import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import * as v from 'valibot'
import { bracketed } from '../../cni/host/host-port.ts'
import type { Endpoint } from '../config/settings.ts'
import { readStatus, type StatusView } from '../report/document.ts'
import { headlineOf } from '../report/summary.ts'
import { formatStatus } from '../report/terminal.ts'
import { type ExitCode, exitCodes, type ProcessPorts } from '../runtime/process.ts'
import { start } from './start.ts'
import { type Flags, readOutput } from './usage.ts'

/** The agent or leader could not be asked. */
class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly code = 'NoAgent'
}

const limitMs = 5_000

/** `nopal status`: what the agent of this node, or the leader, says of itself. */
export async function runStatus(ports: ProcessPorts, flags: Flags): Promise<ExitCode> {
  const output = readOutput(flags)
  const { settings } = start(ports, { nodeNameOptional: true, output: ports.stderr })
  const { document, status } = await ask(flags.leader === true ? settings.leader.listen : settings.agent.listen)
  const text = output === 'json' ? `${JSON.stringify(document)}\n` : formatStatus(status, isColoured(ports))
  ports.stdout.write(text)
  return isWell(status) ? exitCodes.well : exitCodes.notWell
}

/** As https://no-color.org has it. */
function isColoured({ stdout, env }: ProcessPorts): boolean {
  return stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
}

async function ask(listen: Endpoint): Promise<{ readonly document: unknown; readonly status: StatusView }> {
  const url = `http://${hostOf(listen)}:${listen.port}/status.json`
  try {
    // Not fetch: it is WebAssembly, which an agent's container has none of.
    const request = get(url, { signal: AbortSignal.timeout(limitMs) }).on('error', () => undefined)
    const [response]: IncomingMessage[] = await once(request, 'response')
    const document: unknown = response && (await json(response))
    return { document, status: readStatus(document) }
  } catch (error) {
    const message = error instanceof v.ValiError ? 'is neither an agent nor a leader' : 'does not answer'
    throw new StatusError(`${url} ${message}: is it running?`, { cause: error })
  }
}

/** Where an agent that listens everywhere can be reached from here. */
function hostOf({ host }: Endpoint): string {
  if (host === '' || host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return bracketed(host)
}

function isWell(status: StatusView): boolean {
  return status.missing.length === 0 && status.problems.length === 0 && headlineOf(status).tone !== 'bad'
}
