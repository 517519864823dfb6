import { readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { readLines } from '../runtime/lines.ts'
import type { CheckResult } from '../verdict/verdict.ts'
import { createChecks, createSocketPorts } from './checks.ts'
import { runChecks } from './engine.ts'
import { createPeerPort } from './peers/exchange.ts'
import { type ProbeRequest, parseProbeRequest } from './remote.ts'
import { createRelayedApi } from './shared-reads.ts'

/** Both ends of the pipe to whoever made the sandbox. */
export interface ProbePipe {
  readonly input: NodeJS.ReadableStream
  say(line: string): void
}

/**
 * The program in a probe sandbox. It says who it is, is told what to ask, and says what it found, a line each. Whoever
 * started it holds its input: when that ends it ends too, and its network namespace with it.
 * @returns whether it was asked and has answered
 */
export async function answerProbe({ input, say }: ProbePipe, hostRoot: string): Promise<boolean> {
  const lines = readLines(input)
  const gone = new AbortController()
  const closed = lines.ended.then(() => {
    gone.abort(new Error('nobody waits for the results any more'))
    return false
  })
  say(JSON.stringify(await introduce(hostRoot)))
  const answer = async (): Promise<boolean> => {
    say(JSON.stringify(await check(parseProbeRequest((await lines.next()) ?? ''), gone.signal)))
    // The namespace is needed until our parent has detached it.
    return closed.then(() => true)
  }
  return Promise.race([answer(), closed])
}

/** The id by which the host knows this process: the host's plugins look for its namespace in the host's /proc. */
async function introduce(hostRoot: string): Promise<{ pid: number } | { fault: string }> {
  const self = join(hostRoot === '' ? '/' : hostRoot, 'proc/self')
  try {
    return { pid: Number(await readlink(self)) }
  } catch {
    return { fault: `${self} cannot be read: the host's files are not mounted below ${hostRoot}` }
  }
}

async function check(request: ProbeRequest, signal: AbortSignal): Promise<readonly CheckResult[]> {
  const { node, settings, apiService, api, reads, clusterDns, peers, peerPort, host, overallMs, addresses } = request
  const sockets = createSocketPorts({
    kube: reads.length === 0 ? undefined : createRelayedApi(api?.server ?? '', reads),
    peers: createPeerPort(peerPort),
    findPeers: async () => peers,
  })
  const ports = { ...sockets, resolveHost: async (name: string) => addresses[name] ?? [] }
  const checks = createChecks({ from: 'sandbox', node, settings, apiService, ports, apiPlace: api, clusterDns, host })
  const groups = [{ from: 'sandbox', checks }] as const
  return (await runChecks({ node, dryRun: true, groups, overallMs, signal })).checks
}
