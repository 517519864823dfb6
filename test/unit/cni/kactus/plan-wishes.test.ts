import t from 'tap'
import { planHotplug } from '../../../../cni/kactus/plan.ts'
import type { NetworkRequest } from '../../../../cni/networks/request.ts'
import type { JsonObject } from '../../../../cni/spec/json.ts'
import { refusalOf } from '../refusal.ts'
import { confOf, requestOf } from './fixtures.ts'
import { plan, wanted } from './plan-fixtures.ts'

interface LostCase {
  readonly name: string
  readonly config?: JsonObject
  readonly request: Partial<NetworkRequest>
  readonly runtimeConfig?: JsonObject
  /** undefined = it is obeyed. */
  readonly message?: RegExp
}

const ips = { capabilityArgs: { ips: ['10.1.0.9/24'] } }
const lostCases: readonly LostCase[] = [
  { name: 'addresses that nobody can give', request: ips, message: /"ips" of network team\/green, and none/ },
  {
    name: 'a capability that is off',
    config: { type: 'aux', capabilities: { ips: false } },
    request: ips,
    message: /"ips"/,
  },
  { name: 'a capability of no kind', config: { type: 'aux', capabilities: ['ips'] }, request: ips, message: /"ips"/ },
  {
    name: 'addresses that the second plugin gives',
    config: { plugins: [{ type: 'aux' }, { type: 'b', capabilities: { ips: true } }] },
    request: ips,
  },
  { name: 'a hardware address, which CNI_ARGS carry too', request: { mac: '0a:58:0a:01:00:02' } },
  {
    name: "ports of the pod's where another network is the default one",
    request: { isPrimary: true },
    runtimeConfig: { portMappings: [{ hostPort: 80 }] },
    message: /"portMappings"/,
  },
  {
    name: 'no ports',
    request: { isPrimary: true },
    runtimeConfig: { portMappings: [], dns: { servers: ['10.1.0.1'] } },
  },
  {
    name: 'a default network on another interface',
    request: { isPrimary: true, ifname: 'data0' },
    message: /team\/green is to be the default one, and so cannot be on data0$/,
  },
]

for (const { name, config, request, runtimeConfig, message } of lostCases) {
  t.test(`no wish is dropped: ${name}`, async t => {
    const networks = [wanted('green', { request, ...(config && { config }) })]
    const work = () => plan(networks, runtimeConfig && { runtimeConfig })
    if (message === undefined) return t.doesNotThrow(work)
    const error = await refusalOf(work)
    t.equal(error.code, 7)
    t.match(error.message, message)
  })
}

t.test('what one pod makes kactus hold is bounded, with what it has already and with its own arguments', async t => {
  const large = { type: 'aux', x: 'x'.repeat(60 * 1024) }
  const networks = Array.from({ length: 18 }, (_none, at) => wanted(`n${at}`, { config: large }))
  const held = plan(networks.slice(0, 17))
  t.equal((await refusalOf(() => plan(networks))).code, 7)
  t.match((await refusalOf(() => plan(networks))).message, /larger than 1024 KiB/)
  const input = { conf: confOf(), request: requestOf('ADD'), present: held }
  t.equal((await refusalOf(() => planHotplug(input, networks[17] ?? wanted('n17')))).code, 7)
  t.ok(planHotplug(input, wanted('small')))
  const chain = { plugins: Array.from({ length: 16 }, () => ({ type: 'aux' })) }
  const asked = wanted('green', { config: chain, request: { cniArgs: { x: 'x'.repeat(70 * 1024) } } })
  t.equal((await refusalOf(() => plan([asked]))).code, 7)
})
