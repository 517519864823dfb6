/** A server as the public documentation shows one, in the fields that clients read. */
export interface FakeServer {
  readonly id: number
  readonly name: string
  readonly status: string
  readonly labels: Readonly<Record<string, string>>
  readonly public_net: {
    readonly ipv4: object | null
    readonly ipv6: object | null
    readonly floating_ips: readonly number[]
    readonly firewalls: readonly object[]
  }
  readonly [more: string]: unknown
}

export interface FakeServerOptions {
  readonly status?: string
  readonly labels?: Readonly<Record<string, string>>
  /** null = it has none. */
  readonly ipv4?: string | null
  readonly ipv6?: string | null
  readonly blocked?: boolean
}

/** Server number n: 198.51.100.n and 2001:db8:0:n::/64, or what is told. */
export function fakeServer(id: number, options: FakeServerOptions = {}): FakeServer {
  const { status = 'running', labels = { 'kops.k8s.io/instance-role': 'Node' }, blocked = false } = options
  const { ipv4 = `198.51.${100 + Math.floor(id / 250)}.${id % 250}`, ipv6 = `2001:db8:0:${id.toString(16)}::/64` } =
    options
  return {
    id,
    name: `node-${id}`,
    status,
    labels,
    created: '2026-01-30T23:55:00Z',
    public_net: {
      ipv4: ipv4 === null ? null : { id: 1000 + id, ip: ipv4, blocked, dns_ptr: `node-${id}.example.com` },
      ipv6: ipv6 === null ? null : { id: 5000 + id, ip: ipv6, blocked, dns_ptr: [] },
      floating_ips: [],
      firewalls: [],
    },
    private_net: [],
    location: { id: 1, name: 'fsn1', country: 'DE', city: 'Falkenstein', network_zone: 'eu-central' },
    rescue_enabled: false,
    locked: false,
    backup_window: null,
    outgoing_traffic: null,
    ingoing_traffic: null,
    included_traffic: 20_000_000_000_000,
    protection: { delete: false, rebuild: false },
    volumes: [],
    load_balancers: [],
    primary_disk_size: 40,
    placement_group: null,
  }
}
