import t from 'tap'
import { type KubeApi, KubeError } from '../../../../agent/kube/api.ts'
import { readServiceCIDRs } from '../../../../agent/kube/service-cidrs.ts'

const signal = new AbortController().signal
const asking = (request: () => Promise<unknown>) => readServiceCIDRs({ request } as unknown as KubeApi, signal)

t.test('of all objects, also those without a spec', async t => {
  const items = [
    { spec: { cidrs: ['10.96.0.0/12', 'fd00:96::/112'] } },
    { spec: null },
    {},
    { spec: { cidrs: ['10.0.0.0/16'] } },
  ]
  t.same(await asking(async () => ({ items })), ['10.96.0.0/12', 'fd00:96::/112', '10.0.0.0/16'])
})

t.test('an API server that does not know of them: none, and no error', async t => {
  t.same(await asking(() => Promise.reject(new KubeError('NotFound', 'no such collection'))), [])
})

t.test('a server that refuses, or is away, is an error', async t => {
  for (const code of ['Forbidden', 'Unreachable'] as const)
    await t.rejects(
      asking(() => Promise.reject(new KubeError(code, 'x'))),
      { code },
    )
})
