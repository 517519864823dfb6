import t from 'tap'
import { type Environment, readRequest } from '../../../../cni/kactus/request.ts'
import { nastyPieces, randomInput, tryMany } from '../random-input.ts'
import { hasCode, refusalOf } from '../refusal.ts'

const full: Environment = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'c1',
  CNI_NETNS: '/run/netns/x',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin',
  CNI_ARGS: 'K8S_POD_NAME=p1',
}

t.test('all of it', async t => {
  t.strictSame(readRequest(full), {
    command: 'ADD',
    containerId: 'c1',
    netns: '/run/netns/x',
    ifname: 'eth0',
    args: new Map([['K8S_POD_NAME', 'p1']]),
    path: '/opt/cni/bin',
  })
})

interface GoodCase {
  readonly name: string
  readonly env: Environment
}

const goodCases: readonly GoodCase[] = [
  { name: 'DEL without a netns', env: { ...full, CNI_COMMAND: 'DEL', CNI_NETNS: undefined } },
  { name: 'DEL with an empty netns', env: { ...full, CNI_COMMAND: 'DEL', CNI_NETNS: '' } },
  { name: 'STATUS with a path alone', env: { CNI_COMMAND: 'STATUS', CNI_PATH: '/x' } },
  { name: 'GC with a path alone', env: { CNI_COMMAND: 'GC', CNI_PATH: '/x' } },
  { name: 'VERSION with nothing', env: { CNI_COMMAND: 'VERSION' } },
  {
    name: 'VERSION with junk',
    env: { CNI_COMMAND: 'VERSION', CNI_CONTAINERID: '../x', CNI_IFNAME: '..', CNI_ARGS: ';;' },
  },
  { name: 'GC does not look at arguments', env: { CNI_COMMAND: 'GC', CNI_PATH: '/x', CNI_ARGS: 'junk' } },
  { name: 'no arguments', env: { ...full, CNI_ARGS: undefined } },
  { name: 'unknown arguments that may be ignored', env: { ...full, CNI_ARGS: 'IgnoreUnknown=1;OTHER=x' } },
]

for (const { name, env } of goodCases) {
  t.test(`taken: ${name}`, async t => {
    t.equal(readRequest(env).command, env.CNI_COMMAND)
  })
}

interface BadCase {
  readonly name: string
  readonly env: Environment
  readonly names: readonly string[]
}

const badCases: readonly BadCase[] = [
  { name: 'a small command', env: { ...full, CNI_COMMAND: 'add' }, names: ['CNI_COMMAND'] },
  { name: 'a command nobody knows', env: { ...full, CNI_COMMAND: 'FOO' }, names: ['CNI_COMMAND', '"FOO"'] },
  { name: 'a command of inheritance', env: { ...full, CNI_COMMAND: 'constructor' }, names: ['CNI_COMMAND'] },
  {
    name: 'ADD with nothing else',
    env: { CNI_COMMAND: 'ADD' },
    names: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_PATH'],
  },
  {
    name: 'CHECK with nothing else',
    env: { CNI_COMMAND: 'CHECK' },
    names: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_PATH'],
  },
  { name: 'DEL with nothing else', env: { CNI_COMMAND: 'DEL' }, names: ['CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_PATH'] },
  { name: 'STATUS without a path', env: { CNI_COMMAND: 'STATUS' }, names: ['CNI_PATH'] },
  { name: 'empty ones', env: { ...full, CNI_CONTAINERID: '', CNI_NETNS: '' }, names: ['CNI_CONTAINERID', 'CNI_NETNS'] },
  {
    name: 'two that are wrong',
    env: { ...full, CNI_CONTAINERID: '-a', CNI_IFNAME: 'a/b' },
    names: ['CNI_CONTAINERID', 'CNI_IFNAME'],
  },
  { name: 'an id that climbs', env: { ...full, CNI_CONTAINERID: '../x' }, names: ['CNI_CONTAINERID'] },
  { name: 'an id with a line end', env: { ...full, CNI_CONTAINERID: 'a\n' }, names: ['CNI_CONTAINERID'] },
  {
    name: 'an id that makes no file name',
    env: { ...full, CNI_CONTAINERID: 'a'.repeat(201) },
    names: ['CNI_CONTAINERID'],
  },
  { name: 'an interface of 18 bytes', env: { ...full, CNI_IFNAME: 'é'.repeat(9) }, names: ['CNI_IFNAME'] },
  { name: 'an argument without a sign', env: { ...full, CNI_ARGS: 'A' }, names: ['CNI_ARGS'] },
  { name: 'unknown arguments', env: { ...full, CNI_ARGS: 'OTHER=x;MORE=y' }, names: ['CNI_ARGS', 'OTHER', 'MORE'] },
  {
    name: 'unknown arguments that may not be ignored',
    env: { ...full, CNI_ARGS: 'IgnoreUnknown=0;OTHER=x' },
    names: ['OTHER'],
  },
]

for (const { name, env, names } of badCases) {
  t.test(`refused: ${name}`, async t => {
    const error = await refusalOf(() => readRequest(env))
    t.equal(error.code, 4)
    for (const wanted of names) t.match(error.message, wanted)
  })
}

t.test('no more is named than is missing', async t => {
  const error = await refusalOf(() => readRequest({ ...full, CNI_IFNAME: '' }))
  t.equal(error.message, 'ADD needs variables that are missing: CNI_IFNAME')
})

t.test('what is foreign is quoted in part', async t => {
  for (const env of [{ CNI_COMMAND: 'x'.repeat(10_000) }, { ...full, CNI_ARGS: `${'X'.repeat(10_000)}=1` }]) {
    const error = await refusalOf(() => readRequest(env))
    t.ok(error.message.length < 400)
  }
})

t.test('random variables are read or refused with 4; an id that is read stays in its folder', async t => {
  const random = randomInput(47)
  const value = (good: string) => (random.below(3) > 0 ? good : random.text([...nastyPieces, good], 4))
  const make = (): Environment => ({
    CNI_COMMAND: random.pick(['ADD', 'DEL', 'CHECK', 'STATUS', 'GC', 'VERSION', value('ADD')]),
    CNI_CONTAINERID: value('c1'),
    CNI_NETNS: value('/run/netns/x'),
    CNI_IFNAME: value('eth0'),
    CNI_PATH: value('/opt/cni/bin'),
    CNI_ARGS: value('IgnoreUnknown=1;A=b'),
  })
  const { accepted, surprises } = tryMany(
    3000,
    make,
    env => {
      const { command, containerId } = readRequest(env)
      const isNeeded = command === 'ADD' || command === 'DEL' || command === 'CHECK'
      if (isNeeded && !/^[A-Za-z0-9][\w.-]*$/.test(containerId)) throw new Error('a bad id was taken')
    },
    hasCode(4),
  )
  t.strictSame(surprises, [])
  t.ok(accepted > 300, `${accepted} were accepted`)
})
