import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { bareEnv, type CommandOptions } from '../../machine/command.ts'
import type { Machine } from '../../machine/machine.ts'
import { copyPlugins } from '../../machine/node-files.ts'
import { until } from '../../machine/wait.ts'
import type { ClusterKeys } from './keys.ts'
import { ClusterMachine } from './machine.ts'
import { containerdConfig, kubeletConfig, masquerade, nodeMounts } from './node-config.ts'
import { type ClusterPlan, type NodePlan, net } from './plan.ts'

/** Makes a node's machine, with its plugins and settings but nothing running. */
export async function startNodeMachine(plan: NodePlan, cluster: ClusterPlan): Promise<ClusterMachine> {
  const folder = cluster.machineFolder(plan.name)
  await copyPlugins(folder)
  const machine = await ClusterMachine.start(cluster, plan.name, nodeMounts(plan, folder))
  await writeFile(machine.path('/etc/containerd/config.toml'), containerdConfig())
  await machine.run(['nft', '-f', '-'], { input: masquerade })
  return machine
}

/** Where a node's kactus writes what containerd has called it for, once it is there. */
export function kactusLog(machineFolder: string): string {
  return join(machineFolder, 'log/kactus.log')
}

/**
 * Starts containerd and gives it the images.
 * @param programs folder that has another containerd, with its shim and ctr, than Debian's
 */
export async function startContainerd(machine: Machine, archives: readonly string[], programs?: string): Promise<void> {
  const path = programs === undefined ? {} : { PATH: `${programs}:${bareEnv.PATH}` }
  const daemon = machine.start({
    name: 'containerd',
    argv: ['containerd', '--log-level', 'warn'],
    // A plugin has its runtime's environment.
    env: { ...path, _CNI_LOGGING_LEVEL: '2', _CNI_LOGGING_FILE: kactusLog(machine.folder) },
  })
  const answers = async () =>
    (await machine.exec(['ctr', '--connect-timeout', '1s', 'version'], { env: path })).code === 0 ||
    daemon.failIfEnded()
  await until(`containerd of ${machine.hostName}`, answers)
  await importImages(machine, archives, path)
}

/** Gives a node images that no registry has. */
export async function importImages(
  machine: Machine,
  archives: readonly string[],
  env: CommandOptions['env'] = {},
): Promise<void> {
  for (const archive of archives) await machine.run(['ctr', '-n', 'k8s.io', 'images', 'import', archive], { env })
}

/** Where a node's kubelet has its configuration. */
export function kubeletConfigFile(machine: Machine): string {
  return join(machine.folder, 'kubelet.json')
}

/** Starts kubelet and kube-proxy. */
export async function startKubelet(
  machine: ClusterMachine,
  plan: NodePlan,
  keys: ClusterKeys,
  programs: string,
): Promise<void> {
  const config = kubeletConfigFile(machine)
  await writeFile(config, JSON.stringify(kubeletConfig(machine.group.name, keys.pki.ca.certFile)))
  machine.start({
    name: 'kubelet',
    argv: [
      join(programs, 'kubelet'),
      `--config=${config}`,
      `--kubeconfig=${keys.kubelets.get(plan.name)}`,
      `--hostname-override=${plan.name}`,
      `--node-ip=${plan.address}`,
    ],
  })
  machine.start({
    name: 'kube-proxy',
    argv: [
      join(programs, 'kube-proxy'),
      `--kubeconfig=${keys.proxy}`,
      `--hostname-override=${plan.name}`,
      `--cluster-cidr=${net.podCidr}`,
      '--proxy-mode=nftables',
      '--conntrack-max-per-core=0',
      '--conntrack-min=0',
      '--oom-score-adj=0',
    ],
  })
}

/** Where a node has its own default network. */
export const nodeConf = '/etc/cni/net.d/10-e2e.conflist'

/** Gives the node its default network; before that kubelet says it is not ready. */
export async function writeCniConfig(machine: Machine, config: object): Promise<void> {
  const folder = machine.path(dirname(nodeConf))
  await mkdir(folder, { recursive: true })
  // In the same folder: containerd 1.6 reloads on a write or a rename there, not on a file that is moved in.
  const draft = join(folder, '.10-e2e')
  await writeFile(draft, `${JSON.stringify(config, null, 2)}\n`)
  await rename(draft, machine.path(nodeConf))
}
