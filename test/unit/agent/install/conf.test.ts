import t from 'tap'
import { isOwnConf, renderConf } from '../../../../agent/install/conf.ts'
import { installPaths } from '../../../../agent/install/paths.ts'
import { type ConfList, confListFrom } from '../../../../cni/spec/conf.ts'
import { isJsonObject, parseJson } from '../../../../cni/spec/json.ts'

const kubeconfig = '/etc/cni/net.d/kactus.d/kactus-kubeconfig.yaml'

interface ConfCase {
  readonly name: string
  /** The wrapped conf as text. */
  readonly wrapped: string
  readonly want: unknown
}

const cases: readonly ConfCase[] = [
  {
    name: 'a chain',
    wrapped:
      '{"cniVersion":"1.0.0","name":"cbr0","plugins":[{"type":"bridge","mtu":1420},{"type":"portmap","capabilities":{"portMappings":true}}]}',
    want: {
      cniVersion: '1.0.0',
      name: 'kactus-net',
      plugins: [
        {
          type: 'kactus',
          kubeconfig,
          capabilities: { portMappings: true },
          delegates: [
            {
              masterPlugin: true,
              name: 'cbr0',
              cniVersion: '1.0.0',
              plugins: [
                { type: 'bridge', mtu: 1420 },
                { type: 'portmap', capabilities: { portMappings: true } },
              ],
            },
          ],
        },
      ],
    },
  },
  {
    name: 'a single plugin',
    wrapped: '{"cniVersion":"0.4.0","name":"mynet","type":"bridge","ipam":{"type":"host-local"}}',
    want: {
      cniVersion: '0.4.0',
      name: 'kactus-net',
      plugins: [
        {
          type: 'kactus',
          kubeconfig,
          delegates: [
            { type: 'bridge', cniVersion: '0.4.0', name: 'mynet', ipam: { type: 'host-local' }, masterPlugin: true },
          ],
        },
      ],
    },
  },
  {
    name: 'a list of one plugin, with flags',
    wrapped:
      '{"cniVersion":"1.1.0","name":"cilium","disableCheck":true,"disableGC":"true","plugins":[{"type":"cilium-cni"}]}',
    want: {
      cniVersion: '1.1.0',
      name: 'kactus-net',
      disableCheck: true,
      disableGC: true,
      plugins: [
        {
          type: 'kactus',
          kubeconfig,
          delegates: [
            {
              type: 'cilium-cni',
              masterPlugin: true,
              name: 'cilium',
              cniVersion: '1.1.0',
              disableCheck: true,
              disableGC: true,
            },
          ],
        },
      ],
    },
  },
  {
    name: 'no version',
    wrapped: '{"name":"old","type":"bridge"}',
    want: {
      cniVersion: '0.3.1',
      name: 'kactus-net',
      plugins: [{ type: 'kactus', kubeconfig, delegates: [{ type: 'bridge', masterPlugin: true, name: 'old' }] }],
    },
  },
  {
    name: 'capabilities of several plugins, refused and junk ones',
    wrapped:
      '{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"a","capabilities":{"mac":true,"ips":false}},{"type":"b","capabilities":{"bandwidth":true}},{"type":"c","capabilities":[1]}]}',
    want: { plugins: [{ capabilities: { mac: true, bandwidth: true } }] },
  },
]

for (const { name, wrapped, want } of cases) {
  t.test(`conf: ${name}`, async t => {
    const text = renderConf(listFrom(wrapped), { kubeconfig })
    const matches = name.startsWith('capabilities') ? t.match : t.same
    matches.call(t, JSON.parse(text), want)
    t.ok(isOwnConf(text), 'a runtime would call kactus')
  })
}

t.test('conf: numbers that a double cannot hold stay as they were', async t => {
  const text = renderConf(listFrom('{"name":"n","type":"bridge","vni":12345678901234567890,"share":1.0}'), {
    kubeconfig,
  })
  t.match(text, /"vni": 12345678901234567890\b/)
  t.match(text, /"share": 1\.0\b/)
})

interface SocketCase {
  readonly name: string
  readonly socket: string | undefined
  readonly want: string | undefined
}

const socketCases: readonly SocketCase[] = [
  { name: 'where kactus looks anyway: not said', socket: '/run/nopal/agent.sock', want: undefined },
  { name: 'as shipped', socket: undefined, want: undefined },
  { name: 'elsewhere, as the host sees it', socket: '/run/other.sock', want: '/run/other.sock' },
  { name: 'off', socket: '', want: '' },
]

for (const { name, socket, want } of socketCases) {
  t.test(`conf: the agent's socket: ${name}`, async t => {
    const { socketOnHost } = installPaths({ cniBinDir: '/b', cniConfDir: '/c', hostRoot: '/host' }, socket)
    const { plugins } = JSON.parse(
      renderConf(listFrom('{"name":"n","type":"bridge"}'), { kubeconfig, agentSocket: socketOnHost }),
    )
    t.equal(plugins[0].agentSocket, want)
  })
}

t.test('conf: plugins that Networks may name, where there is a list of them', async t => {
  const told = (allowedPlugins: readonly string[]) =>
    JSON.parse(renderConf(listFrom('{"name":"n","type":"bridge"}'), { kubeconfig, allowedPlugins })).plugins[0]
  t.strictSame(told(['bridge', 'host-local']).allowedPlugins, ['bridge', 'host-local'])
  t.notOk('allowedPlugins' in told([]))
})

t.test("conf: kubelet's folder, where it is another than kactus looks in anyway", async t => {
  const told = (kubeletDir?: string) =>
    JSON.parse(renderConf(listFrom('{"name":"n","type":"bridge"}'), { kubeconfig, kubeletDir })).plugins[0]
  t.equal(told('/data/kubelet').kubeletDir, '/data/kubelet')
  t.notOk('kubeletDir' in told())
})

t.test('own conf: junk is not ours', async t => {
  for (const text of [
    '',
    '{',
    '[]',
    'null',
    '{"name":"n"}',
    '{"name":"n","type":"bridge"}',
    '{"name":"n","plugins":[]}',
  ]) {
    t.equal(isOwnConf(text), false, text)
  }
})

function listFrom(text: string): ConfList {
  const document = parseJson(text)
  if (!isJsonObject(document)) throw new Error('no object')
  return confListFrom(document)
}
