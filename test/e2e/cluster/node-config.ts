import { testTaint } from '../../lab/objects.ts'
import { ownFolders } from '../../machine/node-files.ts'
import { mesh, type NodePlan, net } from './plan.ts'

/** Name of the image that holds pods' namespaces open. */
export const pauseImage = 'localhost/nopal-test/pause:1'

/** containerd's settings; where nothing is said, its default paths. */
export function containerdConfig(): string {
  return `version = 2
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # Without CAP_SYS_RESOURCE runc cannot lower the score and dies.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/opt/cni/bin"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`
}

/** kubelet's settings, as JSON, which it reads like YAML. */
export function kubeletConfig(cgroup: string, clientCaFile: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: clientCaFile } },
    authorization: { mode: 'Webhook' },
    clusterDNS: [net.dnsService],
    clusterDomain: net.clusterDomain,
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    resolvConf: '/etc/resolv.conf',
    registerWithTaints: [testTaint],
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroup}`,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    localStorageCapacityIsolation: false,
    oomScoreAdj: 0,
    // The disk is the machine's own: how full it is is no matter of the test's.
    evictionHard: {
      'memory.available': '0%',
      'nodefs.available': '0%',
      'nodefs.inodesFree': '0%',
      'imagefs.available': '0%',
      'imagefs.inodesFree': '0%',
    },
    imageGCHighThresholdPercent: 100,
    // What a test has killed comes back at once, however often.
    crashLoopBackOff: { maxContainerRestartPeriod: '1s' },
    volumeStatsAggPeriod: '-1s',
  }
}

/** The node's own default network, as a cluster has before nopal comes. */
export function cniConfig(podCidr: string): object {
  return {
    cniVersion: '1.0.0',
    name: 'e2e',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isDefaultGateway: true,
        hairpinMode: true,
        mtu: mesh.mtu,
        ipam: { type: 'host-local', ranges: [[{ subnet: podCidr }]] },
      },
    ],
  }
}

/** Pods reach what is neither pod nor service by the node's own address: nobody out there knows theirs. */
export const masquerade = `table ip nopal-e2e {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ip saddr ${net.podCidr} ip daddr != ${net.podCidr} oifname "eth0" masquerade
  }
}
`

/** Folders a node has to itself on disk; its /run is in memory. */
const own = [
  '/etc/cni',
  '/etc/containerd',
  '/etc/nopal',
  '/opt/cni',
  '/var/lib/cni',
  '/var/lib/containerd',
  '/var/lib/kubelet',
  '/var/log/pods',
  '/var/log/containers',
]

/** Kernel settings that kubelet changes for the whole machine unless they have these values already. */
const kubeletSysctls: Readonly<Record<string, string>> = {
  'kernel/keys/root_maxbytes': '25000000',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
}

/**
 * Shell that gives a new mount namespace the node's own folders. A plain file with kubelet's value lies over each kernel
 * setting of the whole machine, so that it leaves them alone.
 */
export function nodeMounts(plan: NodePlan, folder: string): string {
  return `${ownFolders(folder, own)}
rm -f /etc/hosts
echo 'nameserver ${net.controlPlane}' >/etc/resolv.conf
echo '127.0.0.1 localhost' >/etc/hosts
echo '${plan.address} ${plan.name}' >>/etc/hosts
echo '${plan.name}' >/etc/hostname
${Object.entries(kubeletSysctls)
  .map(([name, value]) => coverSysctl(`${folder}/layers/${name.replaceAll('/', '-')}`, name, value))
  .join('\n')}
# So that a service's answer to a pod of the same node goes through the node's rules too.
[ ! -e /proc/sys/net/bridge ] || echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
mount --make-rshared /
`
}

function coverSysctl(file: string, name: string, value: string): string {
  return `[ ! -e /proc/sys/${name} ] || { echo ${value} >${file}; mount --bind ${file} /proc/sys/${name}; }`
}
