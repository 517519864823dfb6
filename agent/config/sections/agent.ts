import * as parse from '../parsers.ts'
import { section } from '../setting.ts'

/** The agent as a process: who it is, where it listens, what it logs. */
export const agent = section('agent', {
  nodeName: {
    aliases: ['NODE_NAME'],
    required: true,
    parse: parse.objectName,
    describe: 'Name of the Node object this agent works for.',
  },
  podNamespace: {
    aliases: ['POD_NAMESPACE'],
    fallback: 'kube-system',
    parse: parse.objectName,
    describe: 'Namespace the agent runs in.',
  },
  podName: {
    aliases: ['POD_NAME'],
    parse: parse.orNothing(parse.objectName),
    describe:
      'Name of the pod the agent runs in: the DaemonSet it belongs to has the name before the last `-`. Empty: none.',
  },
  kubeconfig: {
    aliases: ['KUBECONFIG'],
    parse: parse.pathList,
    describe:
      'Path of a kubeconfig, or several with `:` between, as kubectl reads them. Empty: the account of the pod.',
  },
  listen: {
    fallback: ':8080',
    parse: parse.listenAddress,
    describe: 'Where metrics, health and status are served.',
  },
  probes: {
    fallback: '127.0.0.1:8082',
    parse: parse.listenAddress,
    describe: 'Where kubelet alone is told of health, out of reach of everybody who is not on the node.',
  },
  socket: {
    fallback: '/run/nopal/agent.sock',
    parse: parse.pathOrNothing,
    describe: 'Socket on which kactus asks for pods and networks. Empty: off.',
  },
  logLevel: {
    aliases: ['LOG_LEVEL', 'CANADA_KAKTUS_LOGLEVEL'],
    fallback: 'info',
    parse: parse.oneOf('debug', 'info', 'warn', 'error'),
    describe: 'Least level that is logged: debug, info, warn or error.',
  },
  logFormat: {
    aliases: ['LOG_FORMAT'],
    parse: parse.orNothing(parse.oneOf('json', 'text')),
    describe: 'json or text. Empty: text on a terminal, else json.',
  },
})
