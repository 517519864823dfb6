import { messageOf } from '../../cni/host/system-error.ts'
import type { InstallSettings } from '../config/settings.ts'
import type { KubeApi } from '../kube/api.ts'
import type { CredentialsSource } from '../kube/follow-credentials.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import type { Duty } from '../runtime/duty.ts'
import type { Logger } from '../runtime/log.ts'
import { type AccessSource, createAccessSource, reach, type TokenNode } from './access.ts'
import { applyInstall } from './apply.ts'
import { createBinaryComparer } from './binary.ts'
import { renderKubeconfig, tokenOf } from './kubeconfig.ts'
import { observeFiles } from './observe.ts'
import { installPaths, usualKubeletDir } from './paths.ts'
import { type InstallTarget, type Plan, planInstall, willBeInstalled } from './plan.ts'
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
const settledMs = 20_000

/** Keeps kactus, its kubeconfig and its conf in place, and wraps whatever default network the node has. */
export function createInstallDuty(options: InstallDutyOptions): Duty {
  const installer: Installer = {
    options,
    compareBinary: createBinaryComparer(),
    access: createAccessSource({ ...options, clock: options.clock ?? systemClock }),
    sayer: createSayer(options.log),
  }
  const watch = createFolderWatch(options.wake, options.signal)
  let installed = false
  return {
    name: 'install',
    async reconcile(signal) {
      try {
        const target = findTarget(options)
        // Before reading: what changes after the reading must wake us.
        await watch.ensure(target.watched)
        const plan = await planOnce(installer, target, signal)
        // Until it is there again pods are attached by nobody, or not at all.
        if (installed && !plan.inPlace)
          options.onState({ installed: false, message: 'kactus is being put in place again' })
        await applyInstall(plan.actions, target, options.binary)
        for (const action of plan.actions) options.log.info({ action: action.kind }, 'CNI file written')
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
  readonly compareBinary: ReturnType<typeof createBinaryComparer>
  readonly access: AccessSource
  readonly sayer: Sayer
}

/** Looked up each time: an upgrade of the runtime may turn the links that lead there. */
function findTarget({ settings, agentSocket }: InstallDutyOptions): InstallTarget {
  const { allowedPlugins, kubeletDir } = settings
  return {
    ...installPaths(settings, agentSocket),
    allowedPlugins,
    ...(kubeletDir === usualKubeletDir ? {} : { kubeletDir }),
  }
}

async function planOnce(installer: Installer, target: InstallTarget, signal: AbortSignal): Promise<Plan> {
  const { options, compareBinary, sayer } = installer
  const files = await observeFiles({ paths: target, settings: options.settings })
  sayer.begin()
  for (const note of files.passedOver) sayer.say('warn', note)
  const [binary, kubeconfig] = willBeInstalled(files, target)
    ? [await compareBinary(options.binary, target.binary), await wantedKubeconfig(installer, files.kubeconfig, signal)]
    : ['missing' as const, '']
  const plan = planInstall({ ...files, binary }, kubeconfig, target)
  sayer.say(plan.warning ? 'warn' : 'info', plan.message)
  return plan
}

/** While no new token can be had, one that is there for the same API is better than none. */
async function wantedKubeconfig(
  { access, options, sayer }: Installer,
  present: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  try {
    return renderKubeconfig(await access(signal))
  } catch (error) {
    const known = reach(options.credentials.last())
    const token = present === undefined ? undefined : tokenOf(present, known.server)
    if (token === undefined) throw error
    sayer.say('warn', `kactus keeps its token: ${messageOf(error)}`)
    return renderKubeconfig({ ...known, token, clientCertPem: undefined, clientKeyPem: undefined })
  }
}

interface Sayer {
  /** A new look at things begins. */
  begin(): void
  /** Logs a message, unless the look before had it to say too: a state that lasts is said once. */
  say(level: 'info' | 'warn', message: string): void
}

function createSayer(log: Logger): Sayer {
  let before = new Set<string>()
  let now = new Set<string>()
  return {
    begin() {
      before = now
      now = new Set()
    },
    say(level, message) {
      if (!before.has(message) && !now.has(message)) log[level]({}, message)
      now.add(message)
    },
  }
}
