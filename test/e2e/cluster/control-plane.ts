import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type ApiTarget, sendRequest } from '../../cluster/api-client.ts'
import { type ApiServerPlace, apiServerFlags } from '../../cluster/api-server-flags.ts'
import { auditPolicy } from '../../cluster/audit.ts'
import type { Machine, Program } from '../../machine/machine.ts'
import { waitFor } from '../../machine/wait.ts'
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
  const folder = machine.spec.folder
  await writeFile(join(folder, 'audit-policy.yaml'), auditPolicy)
  const etcd = await machine.start({ name: 'etcd', argv: [join(programs, 'etcd'), ...etcdFlags(folder)] })
  const server = await machine.start({
    name: 'kube-apiserver',
    // Nobody comes back to a broken-off stream of a cluster that is being taken down.
    argv: [
      join(programs, 'kube-apiserver'),
      ...apiServerFlags(placeOf(folder, context.keys)),
      '--shutdown-delay-duration=0s',
    ],
  })
  const wait = { what: 'API server ready', limitMs: 60_000, hopeless: [etcd.ended, server.ended] }
  await waitFor(wait, async () => {
    const answer = await sendRequest(admin, { method: 'GET', path: '/readyz' })
    return answer.code === 200 ? true : undefined
  })
}

/** Starts what makes the cluster move: controllers and scheduler. One of each, so no election. */
export async function startControllers({ machine, programs, keys }: ControlPlaneContext): Promise<readonly Program[]> {
  const start = (name: string, flags: readonly string[]) =>
    machine.start({ name, argv: [join(programs, name), '--leader-elect=false', '--bind-address=127.0.0.1', ...flags] })
  return [
    await start('kube-controller-manager', controllerFlags(keys)),
    await start('kube-scheduler', [
      `--kubeconfig=${keys.scheduler}`,
      `--authentication-kubeconfig=${keys.scheduler}`,
      `--authorization-kubeconfig=${keys.scheduler}`,
    ]),
  ]
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
  const program = await machine.start({
    name: 'forwarder',
    argv: [process.execPath, join(import.meta.dirname, 'forwarder.ts')],
    channel: true,
  })
  const { process: child } = program
  if (child === undefined || address === null || typeof address === 'string') throw new Error('no forwarder')
  const ready = once(child, 'message')
  child.send({ host: net.controlPlane, port: net.apiPort }, server)
  const first = await Promise.race([ready, program.ended])
  if (typeof first === 'string') throw new Error(first)
  server.close()
  child.disconnect()
  return address.port
}
