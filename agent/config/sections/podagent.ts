import * as parse from '../parsers.ts'
import { section } from '../setting.ts'

/** Networks of pods that run. */
export const podagent = section('podagent', {
  enabled: {
    fallback: 'true',
    parse: parse.bool,
    describe: 'Whether an edited annotation attaches and detaches networks of pods that run.',
  },
  criSocket: {
    parse: parse.pathOrNothing,
    describe: "Socket of the container runtime on the host. Empty: containerd's or CRI-O's usual one.",
  },
  sweepMs: {
    fallback: '60s',
    parse: parse.duration({ leastMs: 0 }),
    describe: 'Within what time left-overs of sandboxes that are gone are given back. 0: never.',
  },
})
