import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import type { ClusterDns } from '../../../../../agent/verify/dns/cluster-dns.ts'
import { type HostFiles, parseFlags, readKubeletDns } from '../../../../../agent/verify/dns/kubelet-dns.ts'
import { createPodDns } from '../../../../../agent/verify/dns/pod-dns.ts'
import { load } from '../../config/given.ts'
import { createFakeClock } from '../../runtime/fake-clock.ts'

const header = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'
const usual = '/var/lib/kubelet/config.yaml'
const config = (...servers: readonly string[]) => `${header}clusterDNS:\n${servers.map(each => `- ${each}\n`).join('')}`
const kubelet = (...flags: readonly string[]) => ['/usr/bin/kubelet', ...flags, ''].join('\0')

interface KubeletCase {
  readonly name: string
  readonly files: Readonly<Record<string, string>>
  readonly want: ClusterDns
}

const nothing: ClusterDns = { domain: undefined, servers: [] }
const cases: readonly KubeletCase[] = [
  { name: 'nothing is there', files: {}, want: nothing },
  {
    name: 'as kubeadm writes it',
    files: { [usual]: `${config('10.96.0.10')}clusterDomain: corp.test\nshutdownGracePeriod: 0s\n` },
    want: { domain: 'corp.test', servers: ['10.96.0.10'] },
  },
  {
    name: 'a cache on the node, two families',
    files: { [usual]: config('169.254.20.10', 'fd00::a') },
    want: { domain: undefined, servers: ['169.254.20.10', 'fd00::a'] },
  },
  {
    name: 'in flow style, as JSON too',
    files: { [usual]: '{"kind": "KubeletConfiguration", "clusterDNS": ["10.96.0.10"]}' },
    want: { domain: undefined, servers: ['10.96.0.10'] },
  },
  {
    name: 'a part that is no address, an empty list, junk',
    files: { [usual]: config('dns.test') },
    want: nothing,
  },
  { name: 'an empty list', files: { [usual]: 'clusterDNS: []\nclusterDomain: ""\n' }, want: nothing },
  { name: 'no YAML', files: { [usual]: '{clusterDNS: [' }, want: nothing },
  { name: 'a file that is empty', files: { [usual]: '' }, want: nothing },
  {
    name: "another file on kubelet's command line",
    files: {
      [usual]: config('10.0.0.1'),
      '/etc/kubelet.yaml': config('10.0.0.2'),
      '/proc/1/cmdline': '/sbin/init\0',
      '/proc/77/cmdline': kubelet('--v=2', '--config=/etc/kubelet.yaml'),
    },
    want: { domain: undefined, servers: ['10.0.0.2'] },
  },
  {
    name: 'the same as two words',
    files: { '/etc/kubelet.yaml': config('10.0.0.2'), '/proc/77/cmdline': kubelet('--config', '/etc/kubelet.yaml') },
    want: { domain: undefined, servers: ['10.0.0.2'] },
  },
  {
    name: 'an instance configuration comes over it',
    files: { [usual]: config('10.0.0.1'), '/var/lib/kubelet/instance-config.yaml': config('10.0.0.3') },
    want: { domain: undefined, servers: ['10.0.0.3'] },
  },
  {
    name: 'one that says nothing of DNS does not',
    files: { [usual]: config('10.0.0.1'), '/var/lib/kubelet/instance-config.yaml': `${header}maxPods: 9\n` },
    want: { domain: undefined, servers: ['10.0.0.1'] },
  },
  {
    name: 'drop-ins in their order, and nothing else of their folder',
    files: {
      [usual]: config('10.0.0.1'),
      '/etc/kubelet.d/10-a.conf': config('10.0.0.4'),
      '/etc/kubelet.d/20-b.conf': config('10.0.0.5'),
      '/etc/kubelet.d/30-c.yaml': config('10.0.0.6'),
      '/proc/77/cmdline': kubelet('--config-dir=/etc/kubelet.d'),
    },
    want: { domain: undefined, servers: ['10.0.0.5'] },
  },
  {
    name: 'the command line has the last word',
    files: {
      [usual]: `${config('10.0.0.1')}clusterDomain: a.test\n`,
      '/proc/77/cmdline': kubelet('--cluster-dns=10.0.0.8,10.0.0.9', '--cluster-domain=b.test'),
    },
    want: { domain: 'b.test', servers: ['10.0.0.8', '10.0.0.9'] },
  },
  {
    name: 'a program that only has kubelet among its words',
    files: { [usual]: config('10.0.0.1'), '/proc/77/cmdline': 'grep\0kubelet\0--cluster-dns=10.0.0.8\0' },
    want: { domain: undefined, servers: ['10.0.0.1'] },
  },
]

for (const { name, files, want } of cases) {
  t.test(`kubelet's DNS: ${name}`, async t => {
    t.strictSame(await readKubeletDns(filesOf(files), '/var/lib/kubelet'), want)
  })
}

t.test("kubelet's DNS: its folder may be another one", async t => {
  const files = filesOf({ '/var/lib/k0s/kubelet/config.yaml': config('10.0.0.7') })
  t.strictSame((await readKubeletDns(files, '/var/lib/k0s/kubelet')).servers, ['10.0.0.7'])
})

t.test('flags: given again they add to a list, or replace a value', async t => {
  const flags = parseFlags(['--cluster-dns=1.1.1.1', '-v', '2', '--cluster-dns', '2.2.2.2', '--config=a', '--config=b'])
  t.strictSame(Object.fromEntries(flags), { 'cluster-dns': '1.1.1.1,2.2.2.2', v: '2', config: 'b' })
})

t.test(
  "the settings come first, then kubelet's files below the host's root, its links followed as the host does",
  async t => {
    const root = t.testdir({ 'real-kubelet': {}, var: { lib: { kubelet: t.fixture('symlink', '/real-kubelet') } } })
    await write(join(root, 'real-kubelet/config.yaml'), `${config('10.96.0.10')}clusterDomain: corp.test\n`)
    const ask = (env: Readonly<Record<string, string>>) =>
      createPodDns(load({ env: { NOPAL_INSTALL_HOST_ROOT: root, ...env } }).settings, createFakeClock())()
    t.strictSame(await ask({}), { domain: 'corp.test', servers: ['10.96.0.10'] })
    t.strictSame(await ask({ NOPAL_VERIFY_CLUSTER_DNS: '10.0.0.1, fd00::1' }), {
      domain: 'corp.test',
      servers: ['10.0.0.1', 'fd00::1'],
    })
    t.strictSame(await ask({ NOPAL_INSTALL_KUBELET_DIR: '/nowhere' }), nothing)
  },
)

t.test('what kubelet says is read again after a while, not with each question', async t => {
  const root = t.testdir({})
  const path = join(root, usual)
  const clock = createFakeClock()
  const told = createPodDns(load({ env: { NOPAL_INSTALL_HOST_ROOT: root } }).settings, clock)
  await write(path, config('10.0.0.1'))
  t.strictSame((await told()).servers, ['10.0.0.1'])
  await write(path, config('10.0.0.2'))
  t.strictSame((await told()).servers, ['10.0.0.1'])
  await clock.advance(61_000)
  t.strictSame((await told()).servers, ['10.0.0.2'])
})

t.test("kubelet's DNS: the kubelet of another machine that shares our processes is passed over", async t => {
  const files = filesOf({
    '/proc/7/cmdline': kubelet('--cluster-dns=10.0.0.7'),
    '/proc/8/cmdline': kubelet('--cluster-dns=10.0.0.8'),
  })
  const isElsewhere = async (pid: string) => pid === '7'
  t.strictSame((await readKubeletDns({ ...files, isElsewhere }, '/var/lib/kubelet')).servers, ['10.0.0.8'])
})

function filesOf(files: Readonly<Record<string, string>>): HostFiles {
  const missing = () => Object.assign(new Error('no such file'), { code: 'ENOENT' })
  return {
    isElsewhere: async () => false,
    async read(path) {
      const text = files[path]
      if (text === undefined) throw missing()
      return text
    },
    async list(folder) {
      const below = Object.keys(files).filter(path => path.startsWith(`${folder}/`))
      if (below.length === 0) throw missing()
      return [...new Set(below.map(path => path.slice(folder.length + 1).split('/')[0] ?? ''))]
    },
  }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}
