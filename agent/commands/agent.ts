import type { Settings } from '../config/settings.ts'
import { createVerdictBoard, type VerdictBoard } from '../gate/board.ts'
import { describeVerdict, type Gravity } from '../gate/condition.ts'
import { createGateDuty, type NodeSight } from '../gate/duty.ts'
import { createGateMetrics } from '../gate/metrics.ts'
import { createInstallDuty } from '../install/duty.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeCredentials } from '../kube/credentials.ts'
import { createEventRecorder } from '../kube/events.ts'
import { createLease } from '../kube/lease.ts'
import { loadCredentials } from '../kube/load-credentials.ts'
import { createKubeMetrics } from '../kube/metrics.ts'
import { createNodeWriter } from '../kube/node-writer.ts'
import { listNodes } from '../kube/nodes.ts'
import { followOwnNode } from '../kube/own-node.ts'
import { recordBuild } from '../report/build-metrics.ts'
import { startReportServer } from '../report/server.ts'
import { systemClock } from '../runtime/clock.ts'
import type { Duty } from '../runtime/duty.ts'
import { createDutyMetrics } from '../runtime/duty-metrics.ts'
import type { Logger } from '../runtime/log.ts'
import { type Loop, type LoopOptions, startLoop } from '../runtime/loop.ts'
import { createMetrics, type Metrics } from '../runtime/metrics.ts'
import { startThrift, type Thrift } from '../runtime/thrift.ts'
import { createVerifyDuty } from '../verify/duty.ts'
import { createVerdictMetrics } from '../verify/metrics.ts'
import { type PeerResponder, startPeerResponder } from '../verify/peers/responder.ts'
import type { Verdict } from '../verify/verdict.ts'
import { type Bulletin, createBulletin } from './bulletin.ts'
import { createInstallHold, type InstallHold } from './hold.ts'
import { startLookup } from './lookup.ts'
import { type ExitCode, exitCodes, type ProcessPorts } from './process.ts'
import { connect, readText, start } from './start.ts'
import { createVerification } from './verification.ts'

/** What the parts of a running agent share. */
interface Agent {
  readonly ports: ProcessPorts
  readonly settings: Settings
  readonly log: Logger
  readonly credentials: KubeCredentials
  readonly kube: KubeClient
  readonly metrics: Metrics
  /** The same for every duty. */
  readonly loop: LoopOptions
  readonly bulletin: Bulletin
  readonly board: VerdictBoard
  readonly hold: InstallHold
  readonly thrift: Thrift
}

/** kubelet waits longer before it kills, but nobody should have to. */
const longestEndMs = 4_000

/** `nopal agent`: runs until it is asked to end. */
export async function runAgent(ports: ProcessPorts): Promise<ExitCode> {
  const { settings, log } = start(ports, { nodeNameOptional: false, output: ports.stdout })
  const credentials = loadCredentials(settings, readText)
  const metrics = createMetrics()
  recordBuild(metrics, ports.version)
  const kube = connect(ports, credentials, createKubeMetrics(metrics))
  const onTurn = createDutyMetrics(metrics)
  const loop: LoopOptions = { log, clock: systemClock, random: Math.random, onTurn }
  const bulletin = createBulletin(settings, ports.version, systemClock)
  const server = await startReportServer({ listen: settings.agent.listen, metrics, status: bulletin.status })
  log.info({ server: kube.server, port: server.port, dryRun: settings.gate.dryRun }, 'agent started')
  const board = createVerdictBoard(settings.gate, systemClock)
  const hold = createInstallHold(installs(settings))
  const responder = await answerPeers(settings.agent.listen, log)
  const thrift = startThrift(systemClock)
  const duties = startDuties({ ports, settings, log, credentials, kube, metrics, loop, bulletin, board, hold, thrift })
  await firing(ports.ended)
  thrift.stop()
  log.info({}, 'agent ends')
  await Promise.race([Promise.all([duties.stop(), server.close(), responder?.close()]), later(longestEndMs)])
  kube.close()
  return exitCodes.well
}

/** Without the port this agent is a silent peer to others, and works all the same. */
async function answerPeers(listen: Settings['agent']['listen'], log: Logger): Promise<PeerResponder | undefined> {
  try {
    return await startPeerResponder(listen)
  } catch (error) {
    log.warn({ err: error, port: listen.port }, "other agents' probes get no answer: the UDP port cannot be had")
    return undefined
  }
}

/** Starts everything that runs on a node. */
function startDuties(agent: Agent): { stop(): Promise<unknown> } {
  const { ports, settings, log, kube, bulletin, board } = agent
  const shared = agent.loop
  const ownNode = followOwnNode({
    ...shared,
    api: kube,
    name: settings.nodeName,
    onChange(node) {
      bulletin.showNode(node)
      const doubt = board.observe(node)
      if (doubt !== undefined) {
        log.info({ reason: doubt }, 'verifies again')
        verify.wake()
      }
      gate.wake()
    },
  })
  const verification = createVerification({
    ...agent,
    process: ports,
    dryRun: settings.gate.dryRun,
    live: ownNode.live,
  })
  const verifyAgain = () => verify.wake()
  const gate = startLoop(gateDuty(agent, { sight: ownNode, gravity: verification.gravity, verifyAgain }), shared)
  const sayVerdict = createVerdictSayer(log, verification.gravity)
  const showVerdict = (verdict: Verdict) => {
    sayVerdict(verdict)
    gate.wake()
  }
  const verify = startLoop(verifyDuty(agent, verification.run, showVerdict), shared)
  const install = startInstall(agent, () => gate.wake())
  const lookup = startLookup(agent)
  return { stop: () => Promise.all([ownNode, gate, verify, install, lookup].map(part => part?.stop())) }
}

interface GateParts {
  readonly sight: NodeSight
  readonly gravity: Gravity
  readonly verifyAgain: () => void
}

function gateDuty({ settings, log, kube, metrics, board, hold }: Agent, parts: GateParts): Duty {
  const { nodeName, podNamespace: namespace } = settings
  const { sight, gravity, verifyAgain: verify } = parts
  const lease = createLease({ api: kube, namespace, name: 'nopal-gate', holder: nodeName, clock: systemClock, log })
  return createGateDuty({
    settings: settings.gate,
    sight,
    verdict: board.current,
    hold: hold.current,
    gravity,
    writer: createNodeWriter(kube, nodeName),
    closing: { lease, nodes: signal => listNodes(kube, signal), verify },
    events: createEventRecorder({ api: kube, clock: systemClock, log, instance: nodeName }),
    clock: systemClock,
    log,
    onWrite: createGateMetrics(metrics, nodeName),
  })
}

function verifyDuty(
  { settings, metrics, bulletin, board, thrift }: Agent,
  verify: (signal: AbortSignal) => Promise<Verdict>,
  onVerdict: (verdict: Verdict) => void,
): Duty {
  const { recordVerdict, recordRetry } = createVerdictMetrics(metrics, settings.nodeName)
  return createVerifyDuty({
    settings: settings.verify,
    async run(signal) {
      const ticket = board.begin()
      const verdict = await verify(signal)
      board.finish(ticket, verdict)
      return verdict
    },
    onVerdict(verdict) {
      bulletin.showVerdict(verdict)
      recordVerdict(verdict, systemClock.now())
      onVerdict(verdict)
      thrift.rest()
    },
    onRetry: recordRetry,
  })
}

/** A dry run writes nothing, to the host neither. */
function installs({ install, gate }: Settings): boolean {
  return install.enabled && !gate.dryRun
}

function startInstall(agent: Agent, onState: () => void): Loop | undefined {
  const { ports, settings, log, credentials, kube, bulletin, hold } = agent
  if (!installs(settings)) return undefined
  const duty: Duty = createInstallDuty({
    settings: settings.install,
    agentSocket: settings.agent.socket,
    binary: ports.kactusBinary,
    namespace: settings.podNamespace,
    credentials,
    kube,
    log,
    signal: ports.ended,
    wake: () => loop.wake(),
    onState(state) {
      bulletin.showInstall(state)
      hold.show(state)
      onState()
    },
  })
  const loop = startLoop(duty, agent.loop)
  return loop
}

/** Logs a verdict that differs from the one before; the same one again is no news. */
function createVerdictSayer(log: Logger, gravity: Gravity): (verdict: Verdict) => void {
  let said = ''
  return verdict => {
    const { reason, message } = describeVerdict(verdict, gravity)
    if (said === `${reason} ${message}`) return
    said = `${reason} ${message}`
    const fields = { reason, seconds: verdict.seconds }
    if (verdict.passed) log.info(fields, 'network verified')
    else log.warn({ ...fields, checks: message }, 'network failed its verification')
  }
}

function firing(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function later(ms: number): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, ms)
  })
}
