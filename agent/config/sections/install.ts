import * as parse from '../parsers.ts'
import { section } from '../setting.ts'

/** Where the host's CNI files are. */
export const install = section('install', {
  enabled: {
    key: 'enabled',
    fallback: 'true',
    parse: parse.bool,
    describe: 'Whether the agent installs kactus on its host.',
  },
  cniBinDir: {
    key: 'cni-bin-dir',
    fallback: '/opt/cni/bin',
    parse: parse.path,
    describe: "The runtime's folder of CNI plugins.",
  },
  cniConfDir: {
    key: 'cni-conf-dir',
    fallback: '/etc/cni/net.d',
    parse: parse.path,
    describe: "The runtime's folder of CNI configuration.",
  },
  hostRoot: {
    key: 'host-root',
    fallback: '',
    parse: parse.pathOrNothing,
    describe: "Folder under which the host's folders are mounted. Empty: the host itself.",
  },
  kubeletDir: {
    key: 'kubelet-dir',
    fallback: '/var/lib/kubelet',
    parse: parse.path,
    describe: "kubelet's folder on the host, where kactus learns which devices a pod was granted.",
  },
  allowedPlugins: {
    key: 'allowed-plugins',
    fallback: '',
    parse: parse.list(parse.fileName),
    describe: 'Plugins that a Network may name, IPAM plugins too. Empty: all but kactus.',
  },
})
