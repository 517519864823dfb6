import * as v from 'valibot'
import { bracketed } from '../../cni/host/host-port.ts'
import type { Endpoint } from '../config/settings.ts'
import { oneLine } from '../runtime/plain-text.ts'
import { type ExitCode, exitCodes, type ProcessPorts } from '../runtime/process.ts'
import { verdictSchema } from '../verdict/verdict.ts'
import { formatVerdictText } from '../verify/present.ts'
import { start } from './start.ts'
import { type Flags, readOutput } from './usage.ts'

/** The agent of this node could not be asked. */
class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly code = 'NoAgent'
}

const limitMs = 5_000

/** Loose where a newer agent may say more than this program shows. */
const statusShape = v.looseObject({
  node: v.string(),
  version: v.string(),
  startTime: v.string(),
  facts: v.array(v.looseObject({ name: v.string(), text: v.string() })),
  missing: v.array(v.string()),
  problems: v.array(v.string()),
  verdict: v.fallback(v.nullable(verdictSchema), null),
})

type Status = v.InferOutput<typeof statusShape>

/** `nopal status`: what the agent of this node says of itself. */
export async function runStatus(ports: ProcessPorts, flags: Flags): Promise<ExitCode> {
  const output = readOutput(flags)
  const { settings } = start(ports, { nodeNameOptional: true, output: ports.stderr })
  const status = await ask(settings.agent.listen)
  ports.stdout.write(output === 'json' ? `${JSON.stringify(status)}\n` : renderStatus(status))
  return isWell(status) ? exitCodes.well : exitCodes.notWell
}

async function ask(listen: Endpoint): Promise<Status> {
  const url = `http://${hostOf(listen)}:${listen.port}/status.json`
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(limitMs), redirect: 'error' })
    return v.parse(statusShape, await response.json())
  } catch (error) {
    const message = error instanceof v.ValiError ? 'is no agent' : 'does not answer'
    throw new StatusError(`${url} ${message}: is the agent running?`, { cause: error })
  }
}

/** Where an agent that listens everywhere can be reached from here. */
function hostOf({ host }: Endpoint): string {
  if (host === '' || host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return bracketed(host)
}

function isWell({ missing, problems }: Status): boolean {
  return missing.length === 0 && problems.length === 0
}

function renderStatus({ node, version, startTime, facts, verdict }: Status): string {
  const all = [{ name: 'node', text: node }, { name: 'agent', text: `${version}, since ${startTime}` }, ...facts]
  const width = Math.max(...all.map(({ name }) => name.length))
  const lines = all.map(({ name, text }) => `${oneLine(name.padEnd(width))} ${oneLine(text)}\n`).join('')
  return verdict === null ? lines : `${lines}\n${formatVerdictText(verdict)}`
}
