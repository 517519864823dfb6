import t from 'tap'
import { chartFolder, runHelm } from '../cluster/helm.ts'

/** What the chart refuses, and how it says so. */

interface RefusedRow {
  readonly name: string
  readonly values: object
  /** What the user reads: the field, and what is wrong with its value. */
  readonly says: string
}

const secret = 'correct horse'

const refused: readonly RefusedRow[] = [
  {
    name: 'a word',
    values: settings('gate', 'mode', 'sometimes'),
    says: "/settings/gate/mode': value must be one of 'bootstrap', 'continuous'",
  },
  {
    name: 'a key',
    values: settings('gate', 'taint-kye', 'a/b'),
    says: "/settings/gate': additional properties 'taint-kye' not allowed",
  },
  {
    name: 'a section',
    values: { settings: { gates: {} } },
    says: "/settings': additional properties 'gates' not allowed",
  },
  {
    name: 'a duration',
    values: settings('verify', 'interval', 'soon'),
    says: "/settings/verify/interval': 'soon' does not match",
  },
  { name: 'a count', values: settings('gate', 'bad', 0), says: "/settings/gate/bad': minimum: got 0, want 1" },
  {
    name: 'a share',
    values: settings('gate', 'max-unavailable', 'half'),
    says: "/settings/gate/max-unavailable': 'half' does not match",
  },
  {
    name: 'a flag',
    values: settings('wireguard', 'prevent', 'maybe'),
    says: "/settings/wireguard/prevent': value must be one of true, false",
  },
  {
    name: 'one word of a list',
    values: settings('verify', 'from', ['host', 'moon']),
    says: "/settings/verify/from/1': value must be one of 'host', 'sandbox'",
  },
  {
    name: 'one word of a text',
    values: settings('verify', 'from', 'host,moon'),
    says: "/settings/verify/from': 'host,moon' does not match",
  },
  { name: 'an address', values: settings('agent', 'listen', 8080), says: "/settings/agent/listen': got number" },
  {
    name: 'a port',
    values: settings('leader', 'listen', 'localhost'),
    says: "/settings/leader/listen': 'localhost' does not match",
  },
  {
    name: 'a key of taints',
    values: settings('gate', 'taint-key', "a' || true || 'b"),
    says: "/settings/gate/taint-key'",
  },
  {
    name: 'a label without a name',
    values: settings('gate', 'label', ''),
    says: "/settings/gate/label': '' does not match",
  },
  {
    name: 'a folder',
    values: settings('install', 'cni-bin-dir', 'opt/cni/bin'),
    says: "/settings/install/cni-bin-dir': 'opt/cni/bin' does not match",
  },
  {
    name: 'more than all',
    values: settings('gate', 'max-unavailable', '200%'),
    says: "/settings/gate/max-unavailable': '200%' does not match",
  },
  {
    name: 'a second line of a list',
    values: settings('verify', 'tcp', 'a.test:1\nfrom = host'),
    says: "/settings/verify/tcp'",
  },
  {
    name: 'a second line, in a letter that YAML ends a line with',
    values: settings('pool', 'label-selector', 'a\u2028adopt = true'),
    says: "/settings/pool/label-selector'",
  },
  {
    name: 'a Secret, and what would be in it',
    values: { egress: { enabled: true, existingSecret: 'mine', apiUrl: 'https://x.test', password: secret } },
    says: "/egress/apiUrl': maxLength: got 14, want 0",
  },
  {
    name: 'two tokens',
    values: { pool: { enabled: true, existingSecret: 'mine', token: secret } },
    says: "/pool/token': maxLength: got 13, want 0",
  },
  { name: 'nothing for a feature', values: { egress: null }, says: "missing property 'egress'" },
  {
    name: 'a second line',
    values: settings('pool', 'label-selector', 'a\n[remedy]'),
    says: "/settings/pool/label-selector'",
  },
  {
    name: 'a secret among the settings',
    values: settings('netmaker', 'password', secret),
    says: "/settings/netmaker': additional properties 'password' not allowed",
  },
  {
    name: 'what a feature says',
    values: settings('remedy', 'workers', true),
    says: "/settings/remedy': additional properties 'workers' not allowed",
  },
  { name: 'a value nobody reads', values: { agents: {} }, says: "at '': additional properties 'agents' not allowed" },
  {
    name: 'a toleration',
    values: { agent: { tolerations: [{ key: 'a', effect: 'Never' }] } },
    says: "/agent/tolerations/0/effect': value must be one of",
  },
  {
    name: 'egress without a user',
    values: { egress: { enabled: true, password: secret } },
    says: "/egress/username': minLength: got 0, want 1",
  },
  {
    name: 'a pool without a token',
    values: { pool: { enabled: true } },
    says: "/pool/token': minLength: got 0, want 1",
  },
  {
    name: 'a token that is none',
    values: { pool: { enabled: true, token: 5 } },
    says: "/pool/token': got number, want string",
  },
  {
    name: 'deletion without workers',
    values: { remedy: { deleteFailedNodes: true } },
    says: "/remedy/workers': value must be true",
  },
  {
    name: 'a feature without a leader',
    values: { leader: { enabled: false }, remedy: { workers: true } },
    says: 'leader.enabled is false',
  },
  {
    name: 'two leaders without a Lease',
    values: settings('leader', 'enabled', 'false'),
    says: 'settings.leader.enabled is false: without a Lease leader.replicas must be 1',
  },
  {
    name: 'one port for two',
    values: settings('agent', 'listen', ':8081'),
    says: 'agent.listen, agent.probes and leader.listen of settings must be three ports: 8081, 8082, 8081',
  },
  {
    name: 'probes where kubelet does not ask',
    values: settings('agent', 'probes', '[::1]:8082'),
    says: 'settings.agent.probes: kubelet asks at 127.0.0.1, not at [::1]:8082',
  },
  { name: 'an image', values: { image: { digest: 'latest' } }, says: "/image/digest': 'latest' does not match" },
]

function settings(section: string, key: string, value: unknown): object {
  return { settings: { [section]: { [key]: value } } }
}

for (const { name, values, says } of refused) {
  t.test(`refused: ${name}`, async t => {
    const { code, stdout, stderr } = await runHelm(['template', 'nopal', chartFolder], values)
    t.equal(code, 1)
    t.match(stderr, says)
    t.notMatch(stdout + stderr, secret, 'and no secret')
  })
}
