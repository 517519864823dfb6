import { randomInt } from 'node:crypto'
import type { Finding, Probe } from '../check.ts'
import type { CheckPorts } from '../ports.ts'
import { encodeQuery, readReply } from './message.ts'
import { candidateNames } from './resolv-conf.ts'
import type { PlannedServer } from './server-plan.ts'

/** A finding and the server it is about. */
export interface ServerFinding extends Finding {
  readonly server?: PlannedServer
}

/** What is asked with. */
export interface TcpAsking {
  readonly options: { readonly ports: Pick<CheckPorts, 'dns'> }
  readonly probe: Probe
  readonly port: number
}

/** One question by TCP: what matters is that an answer comes; what it says, the questions by UDP say. */
export async function askByTcp(
  server: PlannedServer,
  name: string | undefined,
  { options, probe, port }: TcpAsking,
): Promise<ServerFinding | undefined> {
  const [full] = name === undefined ? [] : candidateNames(name, server)
  if (full === undefined) return undefined
  const question = { name: full, type: 'A' } as const
  const id = randomInt(0x1_0000)
  const finding = await probe.find(`${name} @${server.address} A tcp`, async () => {
    await probe.within(signal =>
      options.ports.dns.tcp(
        { address: server.address, port },
        encodeQuery(id, question),
        reply => readReply(reply, id, question),
        signal,
      ),
    )
    return { result: 'pass', message: 'answers by TCP' } as const
  })
  return { ...finding, server }
}

/**
 * Puts what both protocols gave side by side. UDP is what resolvers use, so only its failures are a node's; TCP is for answers that are
 * too long, so without it there is a warning. Where UDP alone is silent its message says so: something drops it.
 */
export function joinProtocols(
  byUdp: readonly ServerFinding[],
  byTcp: readonly (ServerFinding | undefined)[],
): readonly Finding[] {
  const said = byUdp.map(finding => {
    const tcp = byTcp.find(each => each?.server === finding.server && finding.server !== undefined)
    const dropped = finding.reason === 'NoAnswer' && finding.result !== 'skip' && tcp?.result === 'pass'
    return dropped ? { ...finding, message: `by UDP ${finding.message}; by TCP the server answers` } : finding
  })
  const speaks = (server: PlannedServer | undefined) =>
    byUdp.some(each => each.server === server && each.result !== 'skip' && each.reason !== 'NoAnswer')
  const news = byTcp.flatMap(finding => {
    if (finding === undefined) return []
    if (finding.result === 'pass') return [finding]
    // A server that is silent by UDP too has been told of already.
    return speaks(finding.server) ? [toWarning(finding)] : []
  })
  return [...said, ...news].map(({ server: _, ...finding }) => finding)
}

function toWarning(finding: ServerFinding): ServerFinding {
  const message = `answers by UDP but not by TCP, so long answers are lost: ${finding.message}`
  return { ...finding, result: 'warn', message }
}
