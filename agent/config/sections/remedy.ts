import * as parse from '../parsers.ts'
import { section } from '../setting.ts'

/** What the leader does for nodes that do not prove themselves. */
export const remedy = section('remedy', {
  workers: {
    fallback: 'false',
    parse: parse.bool,
    describe:
      'Leader: whether a tainted node without a fresh verdict is verified by a worker pod. Needs `daemonset/remedy`.',
  },
  deadlineMs: {
    fallback: '5m',
    parse: parse.duration({ leastMs: 1_000 }),
    describe: 'How long a node may be tainted without a fresh verdict before it gets a worker pod.',
  },
  image: {
    parse: parse.orNothing(parse.imageName),
    describe: "Image of worker pods. Empty: the leader's own.",
  },
  namespace: {
    fallback: 'nopal-workers',
    parse: parse.objectName,
    describe: 'Namespace of worker pods.',
  },
  maxWorkers: {
    fallback: '10',
    parse: parse.wholeNumber({ least: 1 }),
    describe: 'Most worker pods at once.',
  },
  maxRetries: {
    fallback: '5',
    parse: parse.wholeNumber({ least: 0 }),
    describe: 'Worker pods after the first that must fail, too, before a node counts as failed.',
  },
  retryBackoff: {
    fallback: 'exponential',
    parse: parse.oneOf('exponential', 'linear'),
    describe: 'Pause between two worker pods of a node: exponential (1s, 2s, 4s ... 30s) or linear (5s).',
  },
  deleteFailedNodes: {
    fallback: 'false',
    parse: parse.bool,
    describe:
      'Whether a failed node is deleted: its NodeClaim, or the Node where there certainly is none. Needs `workers`.',
  },
  maxDeletes: {
    fallback: '1',
    parse: parse.wholeNumber({ least: 1 }),
    describe: 'Most failed nodes that are deleted within `delete-interval`.',
  },
  deleteIntervalMs: {
    fallback: '10m',
    parse: parse.duration({ leastMs: 1_000 }),
    describe: 'The time that `max-deletes` is about. A new leader waits as long before its first deletion.',
  },
  maxFailed: {
    fallback: '20%',
    parse: parse.countOrShare,
    describe:
      'More failing nodes at once, as a number or a share, and none is deleted: then it is not the nodes. One always may.',
  },
})
