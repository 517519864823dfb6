import * as parse from '../parsers.ts'
import { section } from '../setting.ts'

/** How a verdict becomes taint and label. */
export const gate = section('gate', {
  mode: {
    fallback: 'bootstrap',
    parse: parse.oneOf('bootstrap', 'continuous'),
    describe: 'bootstrap lifts the taint once; continuous also puts it back on a node that fails.',
  },
  taintKey: {
    aliases: ['TAINT_KEY'],
    fallback: 'node-ready/unverified',
    parse: parse.qualifiedName,
    describe: 'Key of the taint that keeps pods away.',
  },
  taintValue: {
    aliases: ['TAINT_VALUE'],
    fallback: 'true',
    parse: parse.labelValue,
    describe: 'Value of the taint when nopal puts it on.',
  },
  taintEffect: {
    aliases: ['TAINT_EFFECT'],
    fallback: 'NoSchedule',
    parse: parse.oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute'),
    describe: 'Effect of the taint.',
  },
  label: {
    aliases: ['VERIFIED_LABEL'],
    fallback: 'node-ready/verified',
    parse: parse.qualifiedName,
    describe: 'Key of the label on a verified node.',
  },
  labelValue: {
    aliases: ['VERIFIED_LABEL_VALUE'],
    fallback: 'true',
    parse: parse.labelValue,
    describe: 'Value of that label.',
  },
  maxUnavailable: {
    fallback: '20%',
    parse: parse.countOrShare,
    describe: 'Continuous: most nodes that may carry the taint at once, as a number or a share. One always may.',
  },
  bad: {
    fallback: '3',
    parse: parse.wholeNumber({ least: 1 }),
    describe: 'Continuous: failing verifications in a row before the taint is put back.',
  },
  goodMs: {
    fallback: '30s',
    parse: parse.duration({ leastMs: 0 }),
    describe: 'Continuous: how long a node that has failed must pass before the taint is lifted.',
  },
  dryRun: {
    aliases: ['DRY_RUN'],
    fallback: 'false',
    parse: parse.bool,
    describe: 'Verify and say what would be written, but write nothing.',
  },
})
