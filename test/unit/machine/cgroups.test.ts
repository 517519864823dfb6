import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { daemonsFolder, makeCgroup, parseCgroupMounts } from '../../machine/cgroups.ts'

interface Row {
  readonly name: string
  readonly lines: readonly string[]
  /** Version and the hierarchy in which processes are found; undefined where a kubelet cannot work. */
  readonly found: readonly [1 | 2, string] | undefined
  readonly folders?: readonly string[]
}

const v1 = (controller: string) =>
  `30 25 0:27 / /sys/fs/cgroup/${controller} rw,nosuid shared:9 - cgroup cgroup rw,${controller}`
const v2 = (folder: string) => `29 25 0:26 / ${folder} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate`
const disk = '24 1 254:1 / / rw - ext4 /dev/vda rw'

const rows: readonly Row[] = [
  {
    name: 'version 1',
    lines: [disk, v1('memory'), v1('pids')],
    found: [1, '/sys/fs/cgroup/pids'],
    folders: ['/sys/fs/cgroup/memory', '/sys/fs/cgroup/pids'],
  },
  {
    name: 'version 1 with an unused version 2 beside it',
    lines: [v2('/sys/fs/cgroup/unified'), v1('pids')],
    found: [1, '/sys/fs/cgroup/pids'],
    folders: ['/sys/fs/cgroup/unified', '/sys/fs/cgroup/pids'],
  },
  { name: 'version 2', lines: [disk, v2('/sys/fs/cgroup')], found: [2, '/sys/fs/cgroup'], folders: ['/sys/fs/cgroup'] },
  {
    name: 'a mount seen twice counts once',
    lines: [v2('/sys/fs/cgroup'), v2('/sys/fs/cgroup')],
    found: [2, '/sys/fs/cgroup'],
    folders: ['/sys/fs/cgroup'],
  },
  { name: 'a space in the path', lines: [v2('/my\\040groups')], found: [2, '/my groups'], folders: ['/my groups'] },
  { name: 'none', lines: [disk], found: undefined },
  { name: 'version 1 without pids, no version 2', lines: [v1('memory')], found: undefined },
  { name: 'empty', lines: [''], found: undefined },
  { name: 'no mountinfo at all', lines: ['- - -', 'cgroup2', ' - cgroup'], found: undefined },
]

for (const { name, lines, found, folders } of rows) {
  t.test(name, async t => {
    if (found === undefined) {
      t.throws(() => parseCgroupMounts(lines.join('\n')), { code: 'NoCgroups' })
      return
    }
    const [version, tracking] = found
    t.same(parseCgroupMounts(lines.join('\n')), { version, tracking, folders })
  })
}

t.test(
  'in version 2 a machine gets the controllers that were not handed down yet, and its daemons a group',
  async t => {
    const top = t.testdir({
      'cgroup.controllers': 'cpuset cpu memory pids\n',
      'cgroup.subtree_control': 'cpuset cpu pids\n',
      one: { 'cgroup.controllers': 'cpu\n', 'cgroup.subtree_control': '\n' },
    })
    await makeCgroup({ version: 2, folders: [top], tracking: top }, 'one')
    t.equal(await readFile(join(top, 'cgroup.subtree_control'), 'utf8'), '+memory')
    t.equal(await readFile(join(top, 'one/cgroup.subtree_control'), 'utf8'), '+cpu')
    // A group that hands controllers down must not hold processes itself.
    t.ok((await stat(join(top, 'one', daemonsFolder))).isDirectory())
  },
)
