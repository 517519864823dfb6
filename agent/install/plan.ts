import { basename } from 'node:path'
import type { ConfList } from '../../cni/spec/conf.ts'
import type { BinaryState } from './binary.ts'
import { isOwnConf, renderConf } from './conf.ts'
import { confName, earlyConfName, type InstallPaths } from './paths.ts'

/** The node's default network as the folder shows it. */
export type DefaultNetwork =
  | {
      readonly kind: 'found'
      readonly path: string
      readonly list: ConfList
      /** Name of the first file that a runtime would take if ours were not there. */
      readonly first: string
      /** Permissions that a copy of it may have. */
      readonly mode: number
    }
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable'; readonly path: string; readonly message: string }

/** A conf of ours as it lies there. */
export interface OwnConf {
  readonly text: string
  readonly mode: number
}

/** What lies on the host. */
export interface Observed {
  readonly defaultNetwork: DefaultNetwork
  /** For people: files that are no network to wrap, and why. */
  readonly passedOver: readonly string[]
  /** undefined = not there. */
  readonly conf: OwnConf | undefined
  /** Its early copy; undefined = not there. */
  readonly earlyConf: OwnConf | undefined
  /** Text of kactus' kubeconfig, where nobody but its owner may read it; undefined = not there, or open to others. */
  readonly kubeconfig: string | undefined
  readonly binary: BinaryState
}

/** Where things go, and what kactus is told beside. */
export interface InstallTarget extends InstallPaths {
  /** Plugins that Networks may name; empty or undefined = all. */
  readonly allowedPlugins?: readonly string[]
  /** kubelet's folder on the host; undefined = where kactus looks anyway. */
  readonly kubeletDir?: string
}

/** One change, in the order in which they must happen. */
export type Action =
  | { readonly kind: 'copyBinary' }
  | { readonly kind: 'writeKubeconfig'; readonly text: string }
  | { readonly kind: 'writeConf'; readonly text: string; readonly mode: number }
  | { readonly kind: 'writeEarlyConf'; readonly text: string; readonly mode: number }
  | { readonly kind: 'removeEarlyConf' }

/** What to do, and how things stand once it is done. */
export interface Plan {
  readonly actions: readonly Action[]
  readonly installed: boolean
  /** Whether a pod that starts before the actions are done has all it needs. */
  readonly inPlace: boolean
  readonly message: string
  /** Something a person should look at. */
  readonly warning: boolean
}

/**
 * Decides what to write. The conf comes last, because from then on the runtime calls kactus; without a
 * default network to wrap nothing is written at all.
 */
export function planInstall(observed: Observed, kubeconfig: string, target: InstallTarget): Plan {
  const { conf, ...outlook } = planConf(observed, target)
  if (conf === undefined) return { ...outlook, installed: false, inPlace: false, actions: [] }
  const actions: Action[] = []
  if (observed.binary !== 'current') actions.push({ kind: 'copyBinary' })
  if (observed.kubeconfig !== kubeconfig) actions.push({ kind: 'writeKubeconfig', text: kubeconfig })
  if (!isSame(conf, observed.conf)) actions.push({ kind: 'writeConf', ...conf })
  actions.push(...planEarlyConf(observed, conf))
  return { ...outlook, installed: true, inPlace: isInPlace(observed), actions }
}

/** Runtimes take the first conf by name: ours must be it. While no default is there, things stay as they are. */
function planEarlyConf({ defaultNetwork, earlyConf }: Observed, conf: OwnConf): readonly Action[] {
  if (defaultNetwork.kind !== 'found') return []
  if (defaultNetwork.first < confName) return isSame(conf, earlyConf) ? [] : [{ kind: 'writeEarlyConf', ...conf }]
  return earlyConf === undefined ? [] : [{ kind: 'removeEarlyConf' }]
}

function isSame(wanted: OwnConf, present: OwnConf | undefined): boolean {
  return wanted.text === present?.text && wanted.mode === present.mode
}

/** An older executable, token or conf does its work; a missing one does not. */
function isInPlace({ binary, kubeconfig, conf }: Observed): boolean {
  return binary !== 'missing' && kubeconfig !== undefined && conf !== undefined
}

/** Whether there will be a conf of ours, so that the rest is worth having. */
export function willBeInstalled(observed: Pick<Observed, 'defaultNetwork' | 'conf'>, target: InstallTarget): boolean {
  return planConf(observed, target).conf !== undefined
}

interface ConfOutlook extends Pick<Plan, 'message' | 'warning'> {
  /** undefined = there is nothing to make one from. */
  readonly conf: OwnConf | undefined
}

function planConf(
  { defaultNetwork, conf }: Pick<Observed, 'defaultNetwork' | 'conf'>,
  target: InstallTarget,
): ConfOutlook {
  if (defaultNetwork.kind === 'found') return wrap(defaultNetwork, target)
  const why =
    defaultNetwork.kind === 'none'
      ? `${target.confFolder} holds no default network`
      : `${basename(defaultNetwork.path)} cannot be read: ${defaultNetwork.message}`
  const warning = defaultNetwork.kind === 'unreadable'
  // Networks that update themselves take their conf away for a moment; pods must go on starting meanwhile.
  if (conf !== undefined && isOwnConf(conf.text)) {
    return { conf, message: `${why}; kactus goes on with the last one it knew`, warning: true }
  }
  return { conf: undefined, message: `waiting: ${why}`, warning }
}

function wrap(network: Extract<DefaultNetwork, { kind: 'found' }>, target: InstallTarget): ConfOutlook {
  const { path, list, first, mode } = network
  const { kubeconfigOnHost: kubeconfig, socketOnHost: agentSocket, allowedPlugins, kubeletDir } = target
  const text = renderConf(list, { kubeconfig, agentSocket, kubeletDir, ...(allowedPlugins && { allowedPlugins }) })
  const conf = { text, mode }
  if (first < earlyConfName) {
    const message = `runtimes take the first conf by name, and ${first} comes before ${earlyConfName}: kactus is not called`
    return { conf, message, warning: true }
  }
  return { conf, message: `kactus wraps network ${list.name} of ${basename(path)}${beside(list)}`, warning: false }
}

const multusTypes = ['multus', 'multus-shim']

/** Two that obey one annotation would attach each of its networks twice. */
function beside({ plugins }: ConfList): string {
  if (!plugins.some(({ type }) => multusTypes.includes(type))) return ''
  return '; it is multus, which alone reads k8s.v1.cni.cncf.io/networks'
}
