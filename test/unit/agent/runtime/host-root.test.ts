import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { findOnHost, followLinks, onHost } from '../../../../agent/runtime/host-root.ts'

interface Case {
  readonly name: string
  /** Link to where it leads, both as the host sees them. */
  readonly links: Readonly<Record<string, string>>
  readonly path: string
  readonly want: string
  readonly via?: readonly string[]
}

const cases: readonly Case[] = [
  { name: 'no link', links: {}, path: '/opt/cni/bin', want: '/opt/cni/bin' },
  { name: 'what is not there', links: {}, path: '/no/such/folder', want: '/no/such/folder' },
  {
    name: "a link from the host's root",
    links: { '/data/current': '/data/v1' },
    path: '/data/current/bin',
    want: '/data/v1/bin',
    via: ['/data'],
  },
  {
    name: 'a link beside it',
    links: { '/data/current': 'v2' },
    path: '/data/current/bin',
    want: '/data/v2/bin',
    via: ['/data'],
  },
  {
    name: 'up and out: the root is the end',
    links: { '/data/up': '../../../../opt' },
    path: '/data/up/cni',
    want: '/opt/cni',
    via: ['/data'],
  },
  {
    name: 'a link to a link',
    links: { '/data/current': '/opt/other', '/opt/other': '/data/v1' },
    path: '/data/current',
    want: '/data/v1',
    via: ['/data', '/opt'],
  },
  { name: 'dots and slashes', links: {}, path: '//opt/./cni/../cni//bin/', want: '/opt/cni/bin' },
]

for (const { name, links, path, want, via = [] } of cases) {
  t.test(`a path of the host: ${name}`, async t => {
    const root = t.testdir({ data: { v1: { bin: {} }, v2: { bin: {} } }, opt: { cni: { bin: {} } } })
    for (const [link, target] of Object.entries(links)) await symlink(target, join(root, link))
    t.strictSame(findOnHost(root, path), { path: join(root, want), links: via.map(folder => join(root, folder)) })
    t.equal(onHost(root)(path), join(root, want))
    t.equal(followLinks(root)(join(root, path)), join(root, want))
  })
}

t.test('a path of the host: links in a circle', async t => {
  const root = t.testdir({})
  await symlink('/b', join(root, 'a'))
  await symlink('a', join(root, 'b'))
  t.throws(() => findOnHost(root, '/a'), { code: 'ELOOP' })
})

t.test('a path of the host that is our own', async t => {
  const root = t.testdir({ v1: {} })
  await symlink('v1', join(root, 'current'))
  t.strictSame(findOnHost('', join(root, 'current')), { path: join(root, 'v1'), links: [root] })
})
