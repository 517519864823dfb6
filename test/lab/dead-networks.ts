import type { LabNode } from './node.ts'

/** A network that attaches no sandbox. */
export interface DeadNetwork {
  readonly name: string
  /** Shell words that break the node's network, and those that mend it. */
  readonly make: readonly string[]
  readonly mend: readonly string[]
  readonly reason: 'SandboxRefused' | 'SandboxTimedOut'
  /** The plugin's own words, as the node shows them. */
  readonly says: RegExp
}

const leases = '/var/lib/cni/networks/lab'

/**
 * A network whose plugin finds its daemon by a file, as many do, and whose own words stand in for those of the real one;
 * with the file there it is a bridge.
 */
function daemonAway(plugin: string, file: string, words: string): Pick<DeadNetwork, 'make' | 'mend'> {
  const script = `#!/bin/sh
if [ ! -e ${file} ] && [ "$CNI_COMMAND" = ADD ]; then
  cat >/dev/null
  cat <<'WORDS'
${JSON.stringify({ cniVersion: '1.0.0', code: 999, msg: words })}
WORDS
  exit 1
fi
sed 's/"type":"${plugin}"/"type":"bridge"/' | "\${0%/*}/bridge"
`
  const folder = file.slice(0, file.lastIndexOf('/'))
  return {
    make: [
      `rm -rf ${folder}`,
      `cat >/opt/cni/bin/${plugin} <<'END'\n${script}END`,
      `chmod +x /opt/cni/bin/${plugin}`,
      `sed 's/"bridge",/"${plugin}",/' /etc/cni/whole.json >/etc/cni/net.d/10-lab.conflist`,
    ],
    mend: [`mkdir -p ${folder}`, `touch ${file}`],
  }
}

/** A plugin that never ends, whatever it is asked. */
export function hanging(plugin: string): Pick<DeadNetwork, 'make' | 'mend'> {
  const path = `/opt/cni/bin/${plugin}`
  return {
    make: [
      `printf '#!/bin/sh\\nwhile :; do sleep 0.1; done\\n' >${path}`,
      `chmod +x ${path}`,
      `sed 's/"bridge",/"${plugin}",/' /etc/cni/whole.json >/etc/cni/net.d/10-lab.conflist`,
    ],
    mend: [`cp /opt/cni/bin/bridge ${path}.new`, `mv ${path}.new ${path}`],
  }
}

export const deadNetworks: readonly DeadNetwork[] = [
  {
    name: 'host-local has no address left: a /29 with all of them reserved',
    make: [
      `sed 's/10.42.1.0\\/24/10.42.1.0\\/29/' /etc/cni/whole.json >/etc/cni/net.d/10-lab.conflist`,
      `mkdir -p ${leases}`,
      `for last in 2 3 4 5 6; do printf other >${leases}/10.42.1.$last; done`,
    ],
    mend: [`rm ${leases}/10.42.1.4`],
    reason: 'SandboxRefused',
    says: /no IP addresses available in range set: 10\.42\.1\.1-10\.42\.1\.6/,
  },
  {
    name: 'the bridge already has an address of another range',
    make: ['ip link add cni0 type bridge', 'ip address add 10.99.0.1/24 dev cni0', 'ip link set cni0 up'],
    mend: ['ip address flush dev cni0'],
    reason: 'SandboxRefused',
    says: /"cni0" already has an IP address different from 10\.42\.1\.1\/24/,
  },
  {
    name: 'flannel is away',
    ...daemonAway(
      'flannel',
      '/run/flannel/subnet.env',
      "failed to load flannel 'subnet.env' file: open /run/flannel/subnet.env: no such file or directory. Check the flannel pod log for this node.",
    ),
    reason: 'SandboxRefused',
    says: /failed to load flannel 'subnet\.env' file: open \/run\/flannel\/subnet\.env: no such file/,
  },
  {
    name: 'Calico is away',
    ...daemonAway(
      'calico',
      '/var/lib/calico/nodename',
      'stat /var/lib/calico/nodename: no such file or directory: check that the calico/node container is running and has mounted /var/lib/calico/',
    ),
    reason: 'SandboxRefused',
    says: /stat \/var\/lib\/calico\/nodename: no such file or directory: check that the calico\/node container is running/,
  },
  {
    name: 'Cilium is away',
    ...daemonAway(
      'cilium-cni',
      '/run/cilium/cilium.sock',
      'unable to connect to Cilium daemon: failed to create cilium agent client: Get "http://localhost/v1/config": dial unix /var/run/cilium/cilium.sock: connect: no such file or directory\nIs the agent running?',
    ),
    reason: 'SandboxRefused',
    says: /dial unix \/var\/run\/cilium\/cilium\.sock: connect: no such file or directory Is the agent running\?/,
  },
  {
    name: 'a plugin is missing',
    make: [
      'cp /opt/cni/bin/bridge /opt/cni/bin/other',
      'mv /opt/cni/bin/other /opt/cni/kept',
      `sed 's/"bridge",/"other",/' /etc/cni/whole.json >/etc/cni/net.d/10-lab.conflist`,
    ],
    mend: ['mv /opt/cni/kept /opt/cni/bin/other'],
    reason: 'SandboxRefused',
    says: /"other" is not installed/,
  },
  {
    name: 'a plugin hangs',
    ...hanging('hung'),
    reason: 'SandboxTimedOut',
    says: /did not end within/,
  },
]

/** As a node is that was never verified, and whose pods are all gone. */
export const fresh = [
  'rm -rf /etc/cni/net.d/* /var/lib/cni/networks /var/lib/cni/kactus /var/lib/cni/nopal',
  'ip link delete cni0 2>/dev/null || :',
  'cp /etc/cni/whole.json /etc/cni/net.d/10-lab.conflist',
]

/** Keeps the network's list, on one line, where the networks above find it. */
export async function keepWhole(node: LabNode): Promise<void> {
  await onNode(node, [
    'tr -d "\\n" </etc/cni/net.d/10-lab.conflist | sed \'s/: */:/g; s/,  */,/g\' >/etc/cni/whole.json',
  ])
}

export async function onNode(node: LabNode, commands: readonly string[]): Promise<void> {
  await node.run(['sh', '-ec', commands.join('\n')])
}
