import t from 'tap'
import { PodRecords } from '../../../../agent/podagent/records.ts'
import { findSandbox } from '../../../../agent/podagent/sandbox.ts'
import { podOf } from './samples.ts'

const { signal } = new AbortController()
const mirror = { 'kubernetes.io/config.mirror': 'u0', 'kubernetes.io/config.hash': 'u0' }

for (const [name, annotations, uid] of [
  ['a pod', {}, 'u1'],
  ['a static pod, which its node knows by another UID', mirror, 'u0'],
  ['a pod that says it is one', { 'kubernetes.io/config.hash': 'u9' }, 'u1'],
] as const) {
  t.test(`the runtime is asked for ${name}`, async t => {
    const asked: string[] = []
    const runtime = {
      async readySandbox(podUid: string) {
        asked.push(podUid)
        return { containerId: 'c1', netns: '/run/netns/x' }
      },
      sandboxes: async () => undefined,
    }
    const sources = { records: new PodRecords(), runtime, here: (path: string) => path }
    const found = await findSandbox(sources, podOf([], { annotations }), { cniDir: t.testdir({}), asks: true, signal })
    t.same(found, { containerId: 'c1', netns: '/run/netns/x', record: undefined })
    t.same(asked, [uid])
  })
}
