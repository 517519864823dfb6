import t from 'tap'
import { lookUpNetwork, lookUpPod } from '../../../../cni/kactus/lookup.ts'
import { plainRequest } from '../../../../cni/networks/request.ts'
import type { JsonObject } from '../../../../cni/spec/json.ts'
import { refusalOf } from '../refusal.ts'
import { asksGreen, greenInTeam, network, pod, podObject, podPath, Sources, sharing } from './lookup-fixtures.ts'

const configOf = (bytes: number) => `{"type":"aux"}${' '.repeat(bytes - 14)}`

/** A pod that asks for as many networks `n0`, `n1`, ... of that size; the agent knows some of them. */
function crowd(count: number, bytes: number, known = 0): Sources {
  const names = Array.from({ length: count }, (_none, at) => `n${at}`)
  const objects = names.map(name => network('team', name, configOf(bytes)))
  const annotations = { networks: JSON.stringify(names.map(name => ({ name }))) }
  const agent = {
    pod: { uid: 'u1', annotations },
    networks: objects.slice(0, known).map(object => ({ kind: 'Network' as const, object })),
  }
  const paths = names.map(name => `/apis/kaloom.com/v1/namespaces/team/networks/${name}`)
  return new Sources(agent, Object.fromEntries(paths.map((path, at) => [path, objects[at] ?? null])))
}

t.test('what one pod makes kactus hold is bounded, whoever tells of it', async t => {
  for (const known of [0, 8, 17]) {
    t.equal((await lookUpPod(crowd(16, 64 * 1024, Math.min(known, 16)), pod, sharing())).length, 16)
    const sources = crowd(64, 64 * 1024, known)
    const error = await refusalOf(() => lookUpPod(sources, pod, sharing()))
    t.equal(error.code, 7)
    t.match(error.message, /larger than 1024 KiB$/)
    t.ok(sources.paths.length <= 21, 'the rest is not even asked for')
    t.match((await refusalOf(() => lookUpPod(crowd(2, 64 * 1024 + 1, known), pod, sharing()))).message, /64 KiB, or/)
  }
})

t.test('at most four objects are on their way at once, and the networks come back as they were asked for', async t => {
  const sources = crowd(30, 100)
  const found = await lookUpPod(sources, pod, sharing())
  t.strictSame(
    found.map(({ object }) => object.name),
    Array.from({ length: 30 }, (_none, at) => `n${at}`),
  )
  t.equal(sources.most, 4)
  const limits = new Set(sources.limits)
  t.strictSame([...limits], [512 * 1024])
})

t.test('a network that is asked for twice is read once', async t => {
  const annotations = { 'k8s.v1.cni.cncf.io/networks': 'green,green,green' }
  const path = '/apis/k8s.cni.cncf.io/v1/namespaces/team/network-attachment-definitions/green'
  const sources = new Sources(undefined, { [podPath]: podObject(annotations), [path]: network('team', 'green') })
  t.equal((await lookUpPod(sources, pod, sharing())).length, 3)
  t.strictSame(sources.paths, [podPath, path])
})

t.test('an object that is too large is named', async t => {
  const tooLarge = Object.assign(new Error('too large'), { code: 'TooLarge' })
  const sources = new Sources(undefined, { [podPath]: podObject(asksGreen), [greenInTeam]: tooLarge })
  const error = await refusalOf(() => lookUpPod(sources, pod, sharing()))
  t.match(error, { code: 7, message: 'Network team/green is too large an object' })
})

t.test('what a pod says and kactus does not read is written down', async t => {
  const said: string[] = []
  const log = { error: (line: string) => said.push(`error ${line}`), info: (line: string) => said.push(`info ${line}`) }
  const rules = { ...sharing(), log: { ...log, debug: () => undefined } }
  const theirs = { 'k8s.v1.cni.cncf.io/networks': 'none-such' }
  const asked = (annotations: JsonObject) => new Sources(undefined, { [podPath]: podObject(annotations) })
  t.strictSame(await lookUpPod(asked(theirs), pod, { ...rules, multusReader: 'multus' }), [])
  t.strictSame(await lookUpPod(asked({ ...theirs, networks: '[]' }), pod, rules), [])
  t.strictSame(said, [
    'info multus alone reads k8s.v1.cni.cncf.io/networks',
    'error k8s.v1.cni.cncf.io/networks is not read, as the pod has networks',
  ])
  const hot = new Sources(undefined, { [greenInTeam]: network('team', 'green') })
  await lookUpNetwork(hot, plainRequest('Network', 'green', undefined), pod, rules)
  t.match(said[2], /^info the agent does not know the pod: network green is attached by its name/)
})
