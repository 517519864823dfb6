import { dirname, join } from 'node:path'
import type { InstallSettings } from '../config/settings.ts'
import { findOnHost, onHost } from '../runtime/host-root.ts'

/** Sorts before what most networks install, and is what users look for. */
export const confName = '05-kactus.conflist'
/** A second copy for a default network that sorts before the first, as Cilium's `05-cilium.conflist` does. */
export const earlyConfName = '00-kactus.conflist'
export const binaryName = 'kactus'
/** kactus' own default; a record per container that still has interfaces of kactus. */
const stateFolder = '/var/lib/cni/kactus'
/** Where kactus looks for the agent when its conf does not say. */
const usualSocket = '/run/nopal/agent.sock'

/** Where kactus looks for kubelet's files when its conf does not say. */
export const usualKubeletDir = '/var/lib/kubelet'

/** Where everything lies: as this process sees it, and, for what the runtime and kactus read, as the host sees it. */
export interface InstallPaths {
  readonly binFolder: string
  readonly binary: string
  readonly confFolder: string
  readonly conf: string
  readonly earlyConf: string
  readonly kubeconfigFolder: string
  readonly kubeconfig: string
  readonly kubeconfigOnHost: string
  /** Where the agent answers kactus; empty = nowhere; undefined = where kactus looks anyway. */
  readonly socketOnHost: string | undefined
  readonly stateFolder: string
  /** What all CNI plugins remember. */
  readonly cniState: string
  /** A file for each named network namespace. */
  readonly sandboxFolder: string
  /** Where a change may mean that something is to be done: in the folders themselves and in the links that lead there. */
  readonly watched: readonly string[]
}

/**
 * The host's folders may be mounted below a root of their own; paths written into files never carry it. Links are followed
 * as they are at this moment: an upgrade of the runtime may turn them.
 */
export function installPaths(
  settings: Pick<InstallSettings, 'cniBinDir' | 'cniConfDir' | 'hostRoot'>,
  agentSocket = usualSocket,
): InstallPaths {
  const { cniBinDir, cniConfDir, hostRoot } = settings
  const here = onHost(hostRoot)
  const bin = findOnHost(hostRoot, cniBinDir)
  const conf = findOnHost(hostRoot, cniConfDir)
  const kubeconfig = join('kactus.d', 'kactus-kubeconfig.yaml')
  return {
    binFolder: bin.path,
    binary: join(bin.path, binaryName),
    confFolder: conf.path,
    conf: join(conf.path, confName),
    earlyConf: join(conf.path, earlyConfName),
    kubeconfigFolder: join(conf.path, dirname(kubeconfig)),
    kubeconfig: join(conf.path, kubeconfig),
    kubeconfigOnHost: join(cniConfDir, kubeconfig),
    socketOnHost: agentSocket === usualSocket ? undefined : agentSocket,
    stateFolder: here(stateFolder),
    cniState: here('/var/lib/cni'),
    sandboxFolder: here('/run/netns'),
    watched: [...new Set([bin.path, ...bin.links, conf.path, ...conf.links])],
  }
}

/**
 * The one temporary name a file is written under before it takes its place. Fixed, so that a kill leaves
 * one stray at most and the next write takes it over. No CNI runtime reads a name with this ending.
 */
export function temporaryName(path: string): string {
  return `${path}.nopal-new`
}
