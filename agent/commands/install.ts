import type { Settings } from '../config/settings.ts'
import { unmark } from '../gate/unmark.ts'
import { createInstallDuty, type InstallState } from '../install/duty.ts'
import { uninstall } from '../install/uninstall.ts'
import { createEventRecorder } from '../kube/events.ts'
import { systemClock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import { type ExitCode, exitCodes, type ProcessPorts } from '../runtime/process.ts'
import { sandboxPaths } from '../sandbox/paths.ts'
import { leaveNothing } from '../sandbox/sweep.ts'
import { runNft } from '../wireguard/nft-program.ts'
import { removeFilter } from '../wireguard/packet-filter.ts'
import { connect, findCredentials, findCredentialsIfAny, start } from './start.ts'
import type { Flags } from './usage.ts'

/** `nopal install`: puts the CNI files in place once and says what it wrapped, or what it waits for. */
export async function runInstall(ports: ProcessPorts): Promise<ExitCode> {
  const { settings, log } = start(ports, { nodeNameOptional: true, output: ports.stderr })
  const credentials = await findCredentials(settings)
  const kube = connect(ports, credentials)
  const once = new AbortController()
  let state: InstallState = { installed: false, message: 'nothing was done' }
  const duty = createInstallDuty({
    settings: settings.install,
    agentSocket: settings.agent.socket,
    binary: ports.kactusBinary,
    namespace: settings.podNamespace,
    credentials,
    kube,
    node: { name: settings.nodeName, uid: () => undefined },
    log,
    signal: once.signal,
    wake: () => undefined,
    onState: found => {
      state = found
    },
  })
  try {
    await duty.reconcile(ports.ended)
  } finally {
    once.abort()
    kube.close()
  }
  ports.stdout.write(`${state.installed ? 'installed' : 'not installed'}: ${state.message}\n`)
  return state.installed ? exitCodes.well : exitCodes.notWell
}

/** `nopal uninstall`: puts the node's own default network back, and takes our marks off its Node where a cluster is known. */
export async function runUninstall(ports: ProcessPorts, flags: Flags): Promise<ExitCode> {
  const { settings, log } = start(ports, { nodeNameOptional: true, output: ports.stderr })
  // First: to kactus a sandbox that a killed agent has left is a container with interfaces.
  await leaveNothing({ paths: sandboxPaths(settings.install), log })
  await runNft(removeFilter).catch(error => log.debug({ err: error }, 'no table of the packet filter taken away'))
  const report = await uninstall({ settings: settings.install, force: flags.force === true })
  const lines = [
    ...report.removed.map(file => `removed ${file}`),
    ...report.kept.map(file => `kept ${file}`),
    ...report.notes,
  ]
  ports.stdout.write(lines.map(line => `${line}\n`).join(''))
  const notes = await takeMarksOff(ports, settings, log)
  ports.stdout.write(notes.map(line => `${line}\n`).join(''))
  return report.kept.length === 0 ? exitCodes.well : exitCodes.notWell
}

/** On a host without a way to a cluster there is nobody to tell. */
async function takeMarksOff(ports: ProcessPorts, settings: Settings, log: Logger): Promise<readonly string[]> {
  const credentials = await findCredentialsIfAny(settings, why =>
    log.warn({}, `${why}: label and condition of the Node stay`),
  )
  if (credentials === undefined) return []
  const kube = connect(ports, credentials)
  const { nodeName: node, gate } = settings
  const events = createEventRecorder({ api: kube, clock: systemClock, log, instance: node })
  return unmark({ api: kube, events, node, settings: gate, signal: ports.ended }).finally(() => kube.close())
}
