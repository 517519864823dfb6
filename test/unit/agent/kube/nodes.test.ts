import t from 'tap'
import type { KubeApi, KubeRequest } from '../../../../agent/kube/api.ts'
import { listNodes } from '../../../../agent/kube/nodes.ts'
import { handOut } from './hand-out.ts'

function createPages(pages: readonly unknown[]) {
  const requests: KubeRequest[] = []
  const api: KubeApi = {
    server: 'https://test',
    async request(request) {
      requests.push(request)
      return handOut(request, pages[Math.min(requests.length, pages.length) - 1])
    },
  }
  return { api, requests }
}

async function namesOf(api: KubeApi): Promise<readonly string[]> {
  const names: string[] = []
  for await (const node of listNodes(api, new AbortController().signal)) names.push(node.name)
  return names
}

const nodeOf = (name: string) => ({ metadata: { name, uid: name, resourceVersion: '1' } })
const page = (items: readonly unknown[], next?: string) => ({
  metadata: { resourceVersion: '9', continue: next },
  items,
})

t.test('page by page, from no cache', async t => {
  const { api, requests } = createPages([page([nodeOf('a'), nodeOf('b')], 'more'), page([nodeOf('c')])])
  t.same(await namesOf(api), ['a', 'b', 'c'])
  t.same(
    requests.map(({ query }) => query),
    [{ limit: '500' }, { limit: '500', continue: 'more' }],
  )
})

t.test('what cannot be counted is not guessed', async t => {
  const rows: readonly { readonly name: string; readonly pages: readonly unknown[] }[] = [
    { name: 'no list', pages: [{}] },
    { name: 'something else in the list', pages: [page([{ metadata: { name: 'x' } }])] },
    { name: 'a list without end', pages: [page([], 'more')] },
  ]
  for (const { name, pages } of rows) await t.rejects(namesOf(createPages(pages).api), { code: 'BadReply' }, name)
})
