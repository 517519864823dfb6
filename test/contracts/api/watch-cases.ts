import type { Test } from 'tap'
import type { ApiAnswer, ApiServer } from '../../cluster/api-server.ts'
import { get, networks, node, nodes, patchMerge, post, remove } from './requests.ts'
import { runSteps, type Step, textAt } from './step.ts'

/** A watch: what is there before, what happens while it is open, and the lines that must come, in order. */
export interface WatchCase {
  readonly name: string
  before?(id: string): readonly Step[]
  /** The path; `version` is that of the list just before. */
  path(id: string, version: string): string
  /** What happens between the list and the opening of the watch. */
  missed?(id: string): readonly Step[]
  during?(id: string): readonly Step[]
  lines(id: string): readonly object[]
  /** The server ends it after these lines, and no other comes. */
  readonly ends?: boolean
}

function watchOf(id: string, more: string): string {
  return `${nodes}?watch=true&labelSelector=run%3D${id}${more}`
}

const labelled = (id: string) => node(id, { labels: { run: id } })
const make = (id: string): Step => ({ send: post(nodes, labelled(id)), code: 201 })
const label = (id: string, labels: object): Step => ({
  send: patchMerge(`${nodes}/${id}`, { metadata: { labels } }),
  code: 200,
})
const line = (type: string, name: string) => ({ type, object: { kind: 'Node', metadata: { name } } })
const change = (id: string): readonly Step[] => [
  make(id),
  label(id, { a: 'b' }),
  { send: remove(`${nodes}/${id}`), code: 200 },
]
const changed = (id: string) => [line('ADDED', id), line('MODIFIED', id), line('DELETED', id)]

const initialEvents = '&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
const podOn = (id: string, name: string, nodeName: string): Step => ({
  send: post('/api/v1/namespaces/default/pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { run: id } },
    spec: { nodeName, containers: [{ name: 'c', image: 'i' }] },
  }),
  code: 201,
})
const podLine = (type: string, name: string) => ({ type, object: { kind: 'Pod', metadata: { name } } })

export const watchCases: readonly WatchCase[] = [
  {
    name: 'from now on: added, modified, deleted',
    path: (id, version) => watchOf(id, `&resourceVersion=${version}`),
    during: change,
    lines: changed,
  },
  {
    name: 'without a version: what is there comes first',
    before: id => [make(id)],
    path: id => watchOf(id, ''),
    during: id => [label(id, { a: 'b' })],
    lines: id => [line('ADDED', id), line('MODIFIED', id)],
  },
  {
    name: 'version 0: what is there comes first',
    before: id => [make(id)],
    path: id => watchOf(id, '&resourceVersion=0'),
    lines: id => [line('ADDED', id)],
  },
  {
    name: 'with bookmarks: one says where the first part ends',
    before: id => [make(id)],
    path: id => watchOf(id, '&allowWatchBookmarks=true'),
    lines: id => [
      line('ADDED', id),
      {
        type: 'BOOKMARK',
        object: {
          kind: 'Node',
          apiVersion: 'v1',
          metadata: { resourceVersion: /^\d+$/, annotations: { 'k8s.io/initial-events-end': 'true' } },
        },
      },
    ],
  },
  {
    name: 'list and watch in one',
    before: id => [make(id)],
    path: id =>
      watchOf(
        id,
        '&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=',
      ),
    during: id => [label(id, { a: 'b' })],
    lines: id => [
      line('ADDED', id),
      { type: 'BOOKMARK', object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } } },
      line('MODIFIED', id),
    ],
  },
  {
    name: 'pods of one node, list and watch in one',
    before: id => [podOn(id, `${id}-here`, id), podOn(id, `${id}-there`, `${id}-x`)],
    path: id => `/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3D${id}${initialEvents}`,
    during: id => [podOn(id, `${id}-other`, `${id}-x`), podOn(id, `${id}-later`, id)],
    lines: id => [
      podLine('ADDED', `${id}-here`),
      { type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion: /^\d+$/ } } },
      podLine('ADDED', `${id}-later`),
    ],
  },
  {
    name: 'custom objects of all namespaces, list and watch in one, where there are none',
    path: () => `/apis/kaloom.com/v1/networks?watch=true&fieldSelector=metadata.name%3Dnone-such${initialEvents}`,
    lines: () => [{ type: 'BOOKMARK', object: { kind: 'Network', metadata: { resourceVersion: /^\d+$/ } } }],
  },
  {
    name: 'a version that was: what has happened since comes first',
    missed: change,
    path: (id, version) => watchOf(id, `&resourceVersion=${version}`),
    lines: changed,
  },
  {
    name: 'into sight and out of it',
    before: id => [{ send: post(nodes, node(id)), code: 201 }],
    path: (id, version) => watchOf(id, `&resourceVersion=${version}`),
    during: id => [label(id, { run: id, a: 'b' }), label(id, { c: 'd' }), label(id, { run: null })],
    lines: id => [
      line('ADDED', id),
      line('MODIFIED', id),
      // As it was last in sight.
      { type: 'DELETED', object: { metadata: { name: id, labels: { run: id, c: 'd' } } } },
    ],
  },
  {
    name: 'one object by its name',
    before: id => [make(id), make(`${id}-other`)],
    path: (id, version) => `${nodes}?watch=1&fieldSelector=metadata.name%3D${id}&resourceVersion=${version}`,
    during: id => [label(`${id}-other`, { a: 'b' }), label(id, { a: 'b' })],
    lines: id => [line('MODIFIED', id)],
  },
  {
    name: 'the last bookmark comes before the end',
    path: (id, version) => watchOf(id, `&allowWatchBookmarks=true&timeoutSeconds=6&resourceVersion=${version}`),
    during: id => [make(id)],
    lines: id => [
      line('ADDED', id),
      { type: 'BOOKMARK', object: { kind: 'Node', metadata: { resourceVersion: /^\d+$/ } } },
    ],
  },
  {
    name: 'a watch ends when its time is over',
    before: id => [make(id)],
    path: id => watchOf(id, '&timeoutSeconds=1'),
    lines: id => [line('ADDED', id)],
    ends: true,
  },
  {
    name: 'a version that is forgotten: an error in the stream, and the end',
    path: () => `${networks}?watch=true&resourceVersion=1`,
    lines: () => [
      {
        type: 'ERROR',
        object: {
          kind: 'Status',
          status: 'Failure',
          reason: 'Expired',
          code: 410,
          message: 'too old resource version: 1',
        },
      },
    ],
    ends: true,
  },
]

export async function runWatchCase(t: Test, server: ApiServer, one: WatchCase, id: string): Promise<void> {
  await runSteps(t, server, one.before?.(id) ?? [])
  const list: ApiAnswer = await server.send(get(nodes))
  await runSteps(t, server, one.missed?.(id) ?? [])
  const watch = await server.watch(one.path(id, textAt(list, 'metadata.resourceVersion')))
  t.teardown(() => watch.close())
  await runSteps(t, server, one.during?.(id) ?? [])
  for (const wanted of one.lines(id)) {
    let line = await watch.next()
    // A server may say at any time how far it is.
    while (line?.type === 'BOOKMARK' && !isBookmark(wanted)) line = await watch.next()
    t.match(line, wanted)
  }
  if (one.ends) t.equal(await watch.next(), undefined, 'the server ends it')
}

function isBookmark(line: object): boolean {
  return 'type' in line && line.type === 'BOOKMARK'
}
