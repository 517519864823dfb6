import { isIP } from 'node:net'
import { orMissing } from '../../../cni/host/system-error.ts'
import type { Reason } from '../../verdict/reasons.ts'
import type { Vantage } from '../../verdict/verdict.ts'
import { type Check, CheckFault, type Finding, type Probe, skipped } from '../check.ts'
import type { CheckPorts } from '../ports.ts'
import { askByTcp, joinProtocols, type ServerFinding } from './by-tcp.ts'
import { type ClusterDns, dnsPort } from './cluster-dns.ts'
import { askFamilies, type FamiliesAnswer, type Family } from './families.ts'
import { lookUp } from './lookup.ts'
import type { DnsQuestion } from './message.ts'
import { candidateNames, parseResolvConf, type ResolvConf } from './resolv-conf.ts'
import { sample } from './samples.ts'
import { inDomain, isClusterName, type PlannedServer, planServers } from './server-plan.ts'

/** What the DNS check asks for. */
export interface DnsCheckOptions {
  readonly names: readonly string[]
  readonly limitMs: number
  readonly port?: number
  /** Where the check runs; the host unless told. */
  readonly from?: Vantage
  readonly ports: Pick<CheckPorts, 'dns' | 'readResolvConf'>
  /** Whether there is a cluster whose names can be asked for; true unless told. */
  readonly inCluster?: boolean
  /** Looks for the cluster's DNS. */
  readonly findCluster?: (conf: ResolvConf, port: number, signal: AbortSignal) => Promise<ClusterDns>
}

/** What one run of the check knows. */
interface DnsContext {
  readonly options: DnsCheckOptions
  readonly probe: Probe
  readonly port: number
  readonly cluster: ClusterDns
}

const longestRetryMs = 1000
/** Answers after which a resolver goes on along the search path. */
const goesOn: ReadonlySet<string> = new Set(['NXDomain', 'NoData', 'ServFail'])
/** Where nothing on the search path has addresses, the reason that says most about the name: that it exists, before all. */
const byWeight = ['NoData', 'ServFail', 'NXDomain']
const noCluster: ClusterDns = { domain: undefined, servers: [] }

/** Every name at every name server that the node or its pods use: a resolver may pick any of them. */
export function createDnsCheck(options: DnsCheckOptions): Check {
  return {
    code: 'dns',
    title: 'DNS',
    dependsOn: [],
    limitMs: options.limitMs,
    overdue: 'NoAnswer',
    run: probe => checkAll(options, probe),
  }
}

async function checkAll(options: DnsCheckOptions, probe: Probe): Promise<readonly Finding[]> {
  // A missing file is an empty one, as it is for the C library.
  const conf = parseResolvConf((await options.ports.readResolvConf().catch(orMissing)) ?? '')
  const port = options.port ?? dnsPort
  const cluster = (await options.findCluster?.(conf, port, probe.signal)) ?? noCluster
  const { from = 'host', inCluster = true } = options
  const servers = planServers(conf, cluster, { from, inCluster })
  if (servers.length === 0) {
    const message =
      "resolv.conf names only the host's loopback, which pods do not see, and the cluster's DNS is not known"
    return [skipped('resolv.conf', 'NoNameServer', message)]
  }
  const context: DnsContext = { options, probe, port, cluster }
  const names = options.names.map(name => inDomain(name, cluster))
  const [byUdp, byTcp] = await Promise.all([
    Promise.all(names.map(name => checkName(name, servers, context))),
    Promise.all(
      // Of one that is asked by TCP alone all is known already.
      servers
        .filter(({ way }) => way === 'udp')
        .map(server => askByTcp(server, firstNameFor(server, names, context), context)),
    ),
  ])
  return joinProtocols(byUdp.flat(), byTcp)
}

async function checkName(
  name: string,
  servers: readonly PlannedServer[],
  context: DnsContext,
): Promise<readonly ServerFinding[]> {
  if (isIP(name) !== 0) return [skipped(name, 'NotAName', 'an address is no name: looking it up would prove nothing')]
  const findings = (await Promise.all(servers.map(server => checkAt(server, name, context)))).flat()
  const lists = (['resolv.conf', 'cluster'] as const).map(list => findings.filter(each => each.server?.list === list))
  return lists.flatMap(excuseDeadServers)
}

/** A resolver passes over a silent server, so silence fails the node only where no server speaks. */
function excuseDeadServers<F extends Finding>(findings: readonly F[]): readonly F[] {
  const isSilent = (finding: Finding) => finding.result === 'fail' && finding.reason === 'NoAnswer'
  if (findings.every(each => isSilent(each) || each.result === 'skip')) return findings
  return findings.map(finding => (isSilent(finding) ? { ...finding, result: 'warn' } : finding))
}

async function checkAt(server: PlannedServer, name: string, context: DnsContext): Promise<readonly ServerFinding[]> {
  const where = `${name} @${server.address}`
  if (!isFor(server, name, context)) {
    return [{ target: where, result: 'skip', ...whyNot(context), seconds: 0, server }]
  }
  let answers: readonly FamiliesAnswer[] = [{ types: 'A', result: 'fail', message: '' }]
  const finding = await context.probe.find(where, async () => {
    const names = candidateNames(name, server)
    if (names.length === 0) throw new CheckFault('NXDomain', 'no DNS message can carry such a name')
    const graceMs = Math.min(longestRetryMs, context.options.limitMs)
    const resolve = (type: Family) => sample(() => searchPath(names, type, server, context))
    answers = await askFamilies(resolve, graceMs)
    return { result: 'pass', message: '' }
  })
  return answers.map(({ types, ...answer }) => {
    const target = `${where} ${types}${server.way === 'tcp' ? ' tcp' : ''}`
    return finding.result === 'fail' ? { ...finding, target, server } : { ...finding, ...answer, target, server }
  })
}

function whyNot({ options }: DnsContext): Pick<Finding, 'message'> & { readonly reason: Reason } {
  return options.inCluster === false
    ? { reason: 'NoCluster', message: 'no cluster is known' }
    : { reason: 'NotForCluster', message: "this server is the node's own: it need not know the cluster's names" }
}

function isFor(server: PlannedServer, name: string, { cluster }: DnsContext): boolean {
  return server.knowsCluster || !isClusterName(name, cluster)
}

function firstNameFor(server: PlannedServer, names: readonly string[], context: DnsContext): string | undefined {
  return names.find(name => isIP(name) === 0 && isFor(server, name, context))
}

async function searchPath(
  names: readonly string[],
  type: DnsQuestion['type'],
  server: PlannedServer,
  context: DnsContext,
): Promise<string> {
  const faults: CheckFault[] = []
  for (const name of names) {
    const found = await askFor({ name, type }, server, context)
    if (!(found instanceof CheckFault)) return `${name}: ${found.join(', ')}`
    if (!goesOn.has(found.code)) throw found
    faults.push(found)
  }
  const [gravest] = faults.toSorted((one, other) => byWeight.indexOf(one.code) - byWeight.indexOf(other.code))
  throw gravest ?? new CheckFault('NoAnswer', 'no answer')
}

async function askFor(
  question: DnsQuestion,
  { address, way }: PlannedServer,
  { options, probe, port }: DnsContext,
): Promise<readonly string[] | CheckFault> {
  const retryMs = Math.min(longestRetryMs, options.limitMs / 4)
  const server = { address, port }
  try {
    const how = { question, server, way, retryMs, transport: options.ports.dns }
    return await probe.within(signal => lookUp({ ...how, signal }))
  } catch (error) {
    if (!(error instanceof CheckFault)) throw error
    return new CheckFault(error.code, `${question.name} ${question.type}: ${error.message}`, error)
  }
}
