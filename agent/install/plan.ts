import { basename } from 'node:path'
import type { ConfList } from '../../cni/spec/conf.ts'
import { isOwnConf, renderConf } from './conf.ts'
import { confName, earlyConfName, type InstallPaths } from './paths.ts'

/** The node's default network as the folder shows it. */
export type DefaultNetwork =
  | { readonly kind: 'found'; readonly path: string; readonly list: ConfList }
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable'; readonly path: string; readonly message: string }

/** What lies on the host. */
export interface Observed {
  readonly defaultNetwork: DefaultNetwork
  /** Text of our own conf; undefined = not there. */
  readonly conf: string | undefined
  /** Text of its early copy; undefined = not there. */
  readonly earlyConf: string | undefined
  /** Text of kactus' kubeconfig, where nobody but its owner may read it; undefined = not there, or open to others. */
  readonly kubeconfig: string | undefined
  /** Whether the executable has the same bytes as ours and may be run. */
  readonly binaryIsCurrent: boolean
}

/** Where things go, and what kactus is told beside. */
export interface InstallTarget extends InstallPaths {
  /** Plugins that Networks may name; empty or undefined = all. */
  readonly allowedPlugins?: readonly string[]
}

/** One change, in the order in which they must happen. */
export type Action =
  | { readonly kind: 'copyBinary' }
  | { readonly kind: 'writeKubeconfig'; readonly text: string }
  | { readonly kind: 'writeConf'; readonly text: string }
  | { readonly kind: 'writeEarlyConf'; readonly text: string }
  | { readonly kind: 'removeEarlyConf' }

/** What to do, and how things stand once it is done. */
export interface Plan {
  readonly actions: readonly Action[]
  readonly installed: boolean
  readonly message: string
  /** Something a person should look at. */
  readonly warning: boolean
}

/**
 * Decides what to write. The conf comes last, because from then on the runtime calls kactus; without a
 * default network to wrap nothing is written at all.
 */
export function planInstall(observed: Observed, kubeconfig: string, target: InstallTarget): Plan {
  const outlook = planConf(observed, target)
  if (!outlook.installed) return { ...outlook, actions: [] }
  const actions: Action[] = []
  if (!observed.binaryIsCurrent) actions.push({ kind: 'copyBinary' })
  if (observed.kubeconfig !== kubeconfig) actions.push({ kind: 'writeKubeconfig', text: kubeconfig })
  if (outlook.conf !== observed.conf) actions.push({ kind: 'writeConf', text: outlook.conf })
  actions.push(...planEarlyConf(observed, outlook.conf))
  const { installed, message, warning } = outlook
  return { actions, installed, message, warning }
}

/** Runtimes take the first conf by name: ours must be it. While no default is there, things stay as they are. */
function planEarlyConf({ defaultNetwork, earlyConf }: Observed, conf: string): readonly Action[] {
  if (defaultNetwork.kind !== 'found') return []
  if (basename(defaultNetwork.path) < confName) {
    return earlyConf === conf ? [] : [{ kind: 'writeEarlyConf', text: conf }]
  }
  return earlyConf === undefined ? [] : [{ kind: 'removeEarlyConf' }]
}

/** Whether there will be a conf of ours, so that the rest is worth having. */
export function willBeInstalled(observed: Pick<Observed, 'defaultNetwork' | 'conf'>, target: InstallTarget): boolean {
  return planConf(observed, target).installed
}

type ConfOutlook =
  | { readonly installed: true; readonly conf: string; readonly message: string; readonly warning: boolean }
  | { readonly installed: false; readonly message: string; readonly warning: boolean }

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
  if (conf !== undefined && isOwnConf(conf)) {
    return { installed: true, conf, message: `${why}; kactus goes on with the last one it knew`, warning: true }
  }
  return { installed: false, message: `waiting: ${why}`, warning }
}

function wrap({ path, list }: Extract<DefaultNetwork, { kind: 'found' }>, target: InstallTarget): ConfOutlook {
  const { kubeconfigOnHost: kubeconfig, socketOnHost: agentSocket, allowedPlugins } = target
  const conf = renderConf(list, { kubeconfig, agentSocket, ...(allowedPlugins && { allowedPlugins }) })
  const name = basename(path)
  if (name < earlyConfName) {
    const message = `runtimes take the first conf by name, and ${name} comes before ${earlyConfName}: kactus is not called`
    return { installed: true, conf, message, warning: true }
  }
  return { installed: true, conf, message: `kactus wraps network ${list.name} of ${name}`, warning: false }
}
