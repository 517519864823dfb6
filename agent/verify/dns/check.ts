import { isIP } from 'node:net'
import type { Answer, Check, Finding, Probe } from '../check.ts'
import { CheckFault } from '../check.ts'
import type { CheckPorts, NameServer } from '../ports.ts'
import { lookUp } from './lookup.ts'
import type { DnsQuestion } from './message.ts'
import { candidateNames, parseResolvConf, type ResolvConf } from './resolv-conf.ts'

/** What the DNS check asks for. */
export interface DnsCheckOptions {
  readonly names: readonly string[]
  readonly limitMs: number
  readonly port?: number
  readonly ports: Pick<CheckPorts, 'dns' | 'readResolvConf'>
}

const dnsPort = 53
const longestRetryMs = 1000
/** Answers after which a resolver goes on along the search path. */
const goesOn: ReadonlySet<string> = new Set(['NXDomain', 'NoData', 'ServFail'])
/** Where nothing on the search path has addresses, the reason that says most about the name. */
const byWeight = ['ServFail', 'NoData', 'NXDomain']
/** Where both families fail in different ways: broken before silent before empty. */
const gravestFirst = ['BadReply', 'Truncated', 'CNAMELoop', 'Refused', 'ServFail', 'NoAnswer', 'NXDomain', 'NoData']

/** Every name at every name server of resolv.conf: the node's resolver may pick any of them. */
export function createDnsCheck(options: DnsCheckOptions): Check {
  return {
    code: 'dns',
    title: 'DNS',
    severity: 3,
    dependsOn: [],
    limitMs: options.limitMs,
    overdue: 'NoAnswer',
    async run(probe) {
      const conf = parseResolvConf(await readConf(options))
      const servers = conf.servers.map(address => ({ address, port: options.port ?? dnsPort }))
      const names = await Promise.all(options.names.map(name => checkName(name, { options, probe, conf, servers })))
      return names.flat()
    },
  }
}

interface Context {
  readonly options: DnsCheckOptions
  readonly probe: Probe
  readonly conf: ResolvConf
  readonly servers: readonly NameServer[]
}

/** A missing file is an empty one, as it is for the C library. */
async function readConf(options: DnsCheckOptions): Promise<string> {
  try {
    return await options.ports.readResolvConf()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}

async function checkName(name: string, context: Context): Promise<readonly Finding[]> {
  if (isIP(name) !== 0) {
    const message = 'an address is no name: looking it up would prove nothing'
    return [{ target: name, result: 'skip', reason: 'NotAName', message, seconds: 0 }]
  }
  const findings = await Promise.all(context.servers.map(server => checkAt(server, name, context)))
  return excuseDeadServers(findings)
}

/** A resolver passes over a silent server, so silence fails the node only where no server speaks. */
export function excuseDeadServers(findings: readonly Finding[]): readonly Finding[] {
  const isSilent = (finding: Finding) => finding.result === 'fail' && finding.reason === 'NoAnswer'
  if (findings.every(isSilent)) return findings
  return findings.map(finding => (isSilent(finding) ? { ...finding, result: 'warn' } : finding))
}

async function checkAt(server: NameServer, name: string, context: Context): Promise<Finding> {
  const where = `${name} @${server.address}`
  let target = `${where} A`
  const finding = await context.probe.find(where, async () => {
    const names = candidateNames(name, context.conf)
    if (names.length === 0) throw new CheckFault('NXDomain', 'no DNS message can carry such a name')
    const families = await eitherFamily(type => searchPath(names, type, server, context))
    target = `${where} ${families.types}`
    return families.answer
  })
  return { ...finding, target }
}

/** One family with addresses is enough; which of them a node needs is for the TCP check to say. */
async function eitherFamily(
  resolve: (type: DnsQuestion['type']) => Promise<string>,
): Promise<{ types: string; answer: Answer }> {
  const types = ['A', 'AAAA'] as const
  try {
    return await Promise.any(
      types.map(async type => ({ types: type, answer: { result: 'pass', message: await resolve(type) } as const })),
    )
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error
    const faults = error.errors.map(each =>
      each instanceof CheckFault ? each : new CheckFault('NoAnswer', String(each)),
    )
    const worst = gravest(faults)
    const blamed = types.filter((_, index) => faults[index]?.code === worst.code).join(',')
    return { types: blamed, answer: { result: 'fail', reason: worst.code, message: worst.message } }
  }
}

async function searchPath(
  names: readonly string[],
  type: DnsQuestion['type'],
  server: NameServer,
  context: Context,
): Promise<string> {
  const faults: CheckFault[] = []
  for (const name of names) {
    const found = await askFor({ name, type }, server, context)
    if (!(found instanceof CheckFault)) return `${name}: ${found.join(', ')}`
    if (!goesOn.has(found.code)) throw found
    faults.push(found)
  }
  throw faults.toSorted((one, other) => byWeight.indexOf(one.code) - byWeight.indexOf(other.code))[0] ?? noAnswer()
}

async function askFor(
  question: DnsQuestion,
  server: NameServer,
  { options, probe }: Context,
): Promise<readonly string[] | CheckFault> {
  const retryMs = Math.min(longestRetryMs, options.limitMs / 4)
  try {
    return await probe.within(signal => lookUp({ question, server, signal, retryMs, transport: options.ports.dns }))
  } catch (error) {
    if (!(error instanceof CheckFault)) throw error
    return new CheckFault(error.code, `${question.name} ${question.type}: ${error.message}`, error)
  }
}

function gravest(faults: readonly CheckFault[]): CheckFault {
  const rank = (fault: CheckFault) => gravestFirst.indexOf(fault.code)
  return faults.toSorted((one, other) => rank(one) - rank(other))[0] ?? noAnswer()
}

function noAnswer(): CheckFault {
  return new CheckFault('NoAnswer', 'no answer')
}
