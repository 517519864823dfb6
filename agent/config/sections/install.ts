import * as parse from '../parsers.ts'
import { section } from '../setting.ts'

/** Where the host's CNI files are. */
export const install = section('install', {
  enabled: {
    fallback: 'true',
    parse: parse.bool,
    describe: 'Whether the agent installs kactus on its host.',
  },
  cniBinDir: {
    fallback: '/opt/cni/bin',
    parse: parse.path,
    describe: "The runtime's folder of CNI plugins.",
  },
  cniConfDir: {
    fallback: '/etc/cni/net.d',
    parse: parse.path,
    describe: "The runtime's folder of CNI configuration.",
  },
  hostRoot: {
    parse: parse.pathOrNothing,
    describe: "Folder under which the host's folders are mounted. Empty: the host itself.",
  },
  kubeletDir: {
    fallback: '/var/lib/kubelet',
    parse: parse.path,
    describe: "kubelet's folder on the host, where kactus learns which devices a pod was granted.",
  },
  allowedPlugins: {
    parse: parse.list(parse.fileName),
    describe: 'Plugins that a Network may name, IPAM plugins too. Empty: all but kactus.',
  },
})
