import type { Machine } from '../machine/machine.ts'
import type { Program } from '../machine/program.ts'
import { internet } from './internet.ts'
import { services } from './services.ts'

/** A name that looks like any other on the internet, and the address it has. */
export const outsideName = { name: 'example.com', address: '192.0.2.80' } as const

/** The cluster's name server: a real dnsmasq on the control plane. */
export class DnsServer {
  readonly #machine: Machine
  #child: Program | undefined

  constructor(machine: Machine) {
    this.#machine = machine
  }

  /** Starts it and waits until it listens. */
  async start(): Promise<void> {
    if (this.#child?.running) return
    this.#child = this.#machine.start({ name: 'dnsmasq', argv: ['dnsmasq', ...options] })
    await this.#child.waitForLog(/started, version/)
  }

  /** Kills it: questions are then refused by its host, as with any server that died. */
  async stop(): Promise<void> {
    await this.#child?.stop('SIGKILL')
  }
}

const options = [
  '--keep-in-foreground',
  '--conf-file=/dev/null',
  '--pid-file=',
  // With another user or group the kernel would forget to end it with the lab.
  '--user=root',
  '--group=root',
  '--log-facility=-',
  '--no-hosts',
  '--no-resolv',
  '--bind-interfaces',
  `--listen-address=${internet.controlPlane}`,
  '--local=/cluster.local/',
  `--local=/${outsideName.name}/`,
  `--host-record=kubernetes.default.svc.cluster.local,${services.api}`,
  `--host-record=kube-dns.kube-system.svc.cluster.local,${services.dns}`,
  `--host-record=${outsideName.name},${outsideName.address}`,
]
