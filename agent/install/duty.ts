import type { InstallSettings } from '../config/settings.ts'
import type { KubeApi } from '../kube/api.ts'
import type { CredentialsSource } from '../kube/follow-credentials.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import type { Duty } from '../runtime/duty.ts'
import { messageOf } from '../runtime/error-fields.ts'
import type { Logger } from '../runtime/log.ts'
import { type AccessSource, createAccessSource, reach, type TokenNode } from './access.ts'
import { applyInstall } from './apply.ts'
import { createBinaryComparer } from './binary.ts'
import { renderKubeconfig, tokenOf } from './kubeconfig.ts'
import { observeFiles } from './observe.ts'
import { installPaths } from './paths.ts'
import { type InstallTarget, type Observed, type Plan, planInstall, willBeInstalled } from './plan.ts'
import { createFolderWatch } from './watch.ts'

/** What the duty needs. */
export interface InstallDutyOptions {
  readonly settings: InstallSettings
  /** Where the agent answers kactus, as the host sees it. */
  readonly agentSocket?: string
  /** Path of the kactus executable that came with the agent. */
  readonly binary: string
  /** Namespace of the agent and of ServiceAccount `kactus`. */
  readonly namespace: string
  readonly credentials: CredentialsSource
  readonly kube: KubeApi
  readonly node: TokenNode
  readonly log: Logger
  /** Ends with the agent; the folder is watched until then. */
  readonly signal: AbortSignal
  /** Runs the duty soon: the folder has changed. */
  wake(): void
  onState(state: InstallState): void
  readonly clock?: Clock
}

/** How far the CNI files are. */
export interface InstallState {
  readonly installed: boolean
  readonly message: string
}

/** The watch tells of most changes at once; a folder that is remounted or made late is found by looking. */
const waitingMs = 2_000
const settledMs = 30_000

/** Keeps kactus, its kubeconfig and its conf in place, and wraps whatever default network the node has. */
export function createInstallDuty(options: InstallDutyOptions): Duty {
  const { allowedPlugins } = options.settings
  const paths = { ...installPaths(options.settings, options.agentSocket), allowedPlugins }
  const installer: Installer = {
    options,
    paths,
    isCurrent: createBinaryComparer(),
    access: createAccessSource({ ...options, clock: options.clock ?? systemClock }),
    say: createSayer(options.log),
  }
  const watch = createFolderWatch(paths.confFolder, options.wake, options.signal)
  let installed = false
  return {
    name: 'install',
    async reconcile(signal) {
      try {
        // Before reading: what changes after the reading must wake us.
        await watch.ensure()
        const plan = await installOnce(installer, signal)
        installed = plan.installed
        options.onState({ installed, message: plan.message })
        return installed ? settledMs : waitingMs
      } catch (error) {
        options.onState({ installed, message: messageOf(error) })
        throw error
      }
    },
  }
}

interface Installer {
  readonly options: InstallDutyOptions
  readonly paths: InstallTarget
  readonly isCurrent: ReturnType<typeof createBinaryComparer>
  readonly access: AccessSource
  /** Logs a message unless it is the one logged last. */
  say(level: 'info' | 'warn', message: string): void
}

async function installOnce(installer: Installer, signal: AbortSignal): Promise<Plan> {
  const { options, paths } = installer
  const files = await observeFiles(paths)
  const plan = willBeInstalled(files, paths)
    ? await planAll(installer, files, signal)
    : planInstall({ ...files, binaryIsCurrent: true }, '', paths)
  await applyInstall(plan.actions, paths, options.binary)
  for (const action of plan.actions) options.log.info({ action: action.kind }, 'CNI file written')
  installer.say(plan.warning ? 'warn' : 'info', plan.message)
  return plan
}

async function planAll(
  installer: Installer,
  files: Omit<Observed, 'binaryIsCurrent'>,
  signal: AbortSignal,
): Promise<Plan> {
  const { options, paths } = installer
  const binaryIsCurrent = await installer.isCurrent(options.binary, paths.binary)
  const kubeconfig = await wantedKubeconfig(installer, files.kubeconfig, signal)
  return planInstall({ ...files, binaryIsCurrent }, kubeconfig, paths)
}

/** While no new token can be had, one that is there for the same API is better than none. */
async function wantedKubeconfig(
  { access, options, say }: Installer,
  present: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  try {
    return renderKubeconfig(await access(signal))
  } catch (error) {
    const known = reach(options.credentials.last())
    const token = present === undefined ? undefined : tokenOf(present, known.server)
    if (token === undefined) throw error
    say('warn', `kactus keeps its token: ${messageOf(error)}`)
    return renderKubeconfig({ ...known, token, clientCertPem: undefined, clientKeyPem: undefined })
  }
}

/** A state that lasts is said once, not with every look at it. */
function createSayer(log: Logger): Installer['say'] {
  const said = { info: '', warn: '' }
  return (level, message) => {
    if (said[level] === message) return
    said[level] = message
    log[level]({}, message)
  }
}
