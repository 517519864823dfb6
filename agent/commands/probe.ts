import { readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type ExitCode, exitCodes, type ProcessPorts } from '../runtime/process.ts'
import { readLines } from '../sandbox/lines.ts'
import type { CheckResult } from '../verdict/verdict.ts'
import { createChecks, createSocketPorts } from '../verify/checks.ts'
import { runChecks } from '../verify/engine.ts'
import { createPeerPort } from '../verify/peers/exchange.ts'
import { type ProbeRequest, parseProbeRequest } from '../verify/remote.ts'
import { createRelayedApi } from '../verify/shared-reads.ts'
import type { Flags } from './usage.ts'

/**
 * The program in a probe sandbox. It says who it is, is told what to ask, and says what it found, a line each. Whoever
 * started it holds its stdin: when that ends it ends too, and its network namespace with it.
 */
export async function runProbe(ports: ProcessPorts, flags: Flags): Promise<ExitCode> {
  const lines = readLines(ports.stdin())
  const gone = new AbortController()
  const closed = lines.ended.then((): ExitCode => {
    gone.abort(new Error('nobody waits for the results any more'))
    return exitCodes.failed
  })
  ports.stdout.write(`${JSON.stringify(await introduce(String(flags['host-root'] ?? '')))}\n`)
  const answer = async (): Promise<ExitCode> => {
    const results = await check(parseProbeRequest((await lines.next()) ?? ''), gone.signal)
    ports.stdout.write(`${JSON.stringify(results)}\n`)
    // The namespace is needed until our parent has detached it.
    return closed.then(() => exitCodes.well)
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
  const checks = createChecks({ from: 'sandbox', settings, apiService, ports, apiPlace: api, clusterDns, host })
  const groups = [{ from: 'sandbox', checks }] as const
  return (await runChecks({ node, dryRun: true, groups, overallMs, signal })).checks
}
