import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type ApiTarget, sendRequest } from '../../cluster/api-client.ts'
import { type ApiServerPlace, apiServerFlags } from '../../cluster/api-server-flags.ts'
import { auditPolicy } from '../../cluster/audit.ts'
import type { Machine } from '../../machine/machine.ts'
import { until } from '../../machine/wait.ts'
import type { ClusterKeys } from './keys.ts'
import { net } from './plan.ts'

/** Where the control plane's parts and their data are. */
export interface ControlPlaneContext {
  readonly machine: Machine
  readonly programs: string
  readonly keys: ClusterKeys
}

const etcdUrl = 'http://127.0.0.1:2379'

/** Starts etcd and kube-apiserver and waits until it is ready. */
export async function startApi(context: ControlPlaneContext, admin: ApiTarget): Promise<void> {
  const { machine, programs } = context
  const folder = machine.folder
  await writeFile(join(folder, 'audit-policy.yaml'), auditPolicy)
  const etcd = machine.start({ name: 'etcd', argv: [join(programs, 'etcd'), ...etcdFlags(folder)] })
  const server = machine.start({
    name: 'kube-apiserver',
    // Nobody comes back to a broken-off stream of a cluster that is being taken down.
    argv: [
      join(programs, 'kube-apiserver'),
      ...apiServerFlags(placeOf(folder, context.keys)),
      '--shutdown-delay-duration=0s',
    ],
  })
  const isReady = async () => {
    const answer = await sendRequest(admin, { method: 'GET', path: '/readyz' }).catch(() => undefined)
    return answer?.code === 200 || etcd.failIfEnded() || server.failIfEnded()
  }
  await until('API server ready', isReady, { limitMs: 60_000 })
}

/** Starts what makes the cluster move: controllers and scheduler. One of each, so no election. */
export function startControllers({ machine, programs, keys }: ControlPlaneContext): void {
  const start = (name: string, flags: readonly string[]) =>
    machine.start({ name, argv: [join(programs, name), '--leader-elect=false', '--bind-address=127.0.0.1', ...flags] })
  start('kube-controller-manager', controllerFlags(keys))
  start('kube-scheduler', [
    `--kubeconfig=${keys.scheduler}`,
    `--authentication-kubeconfig=${keys.scheduler}`,
    `--authorization-kubeconfig=${keys.scheduler}`,
  ])
}

/** Where the audit log is: what every client asked. */
export function auditLog(machineFolder: string): string {
  return join(machineFolder, 'audit.log')
}

function etcdFlags(folder: string): string[] {
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    // The data dies with the cluster: no need to wait for the disk.
    '--unsafe-no-fsync',
    '--log-level=error',
  ]
}

function placeOf(folder: string, { pki }: ClusterKeys): ApiServerPlace {
  const { apiPort: port, controlPlane: advertised, serviceCidr } = net
  return { folder, pki, etcd: etcdUrl, port, advertised, serviceCidr }
}

function controllerFlags({ pki, controllers }: ClusterKeys): string[] {
  return [
    `--kubeconfig=${controllers}`,
    `--authentication-kubeconfig=${controllers}`,
    `--authorization-kubeconfig=${controllers}`,
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${pki.accountKeyFile}`,
    `--root-ca-file=${pki.ca.certFile}`,
    // Its own limit of 20 requests a second would cost the start two seconds.
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
    '--allocate-node-cidrs=true',
    `--cluster-cidr=${net.podCidr}`,
    `--service-cluster-ip-range=${net.serviceCidr}`,
  ]
}

/**
 * Opens the API server to this machine: a port of 127.0.0.1 on which a small program, started in the control plane's
 * network, takes connections. The port is opened here and handed over, because a socket stays in the network it was
 * opened in.
 */
export async function startForwarder(machine: Machine): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const program = machine.start({
    name: 'forwarder',
    argv: [process.execPath, join(import.meta.dirname, '../../machine/relay.ts')],
    channel: true,
  })
  if (address === null || typeof address === 'string') throw new Error('no forwarder')
  const ready = program.message()
  program.process.send({ host: net.controlPlane, port: net.apiPort }, server)
  await ready
  server.close()
  program.process.disconnect()
  return address.port
}
