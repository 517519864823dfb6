import * as parse from '../parsers.ts'
import { section } from '../setting.ts'

/** Networks of pods that run. */
export const podagent = section('podagent', {
  enabled: {
    key: 'enabled',
    fallback: 'true',
    parse: parse.bool,
    describe: 'Whether an edited annotation attaches and detaches networks of pods that run.',
  },
})
