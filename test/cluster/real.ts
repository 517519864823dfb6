import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inNetwork } from '../machine/command.ts'
import { Program, startTold } from '../machine/program.ts'
import { until } from '../machine/wait.ts'
import { type ApiTarget, sendRequest } from './api-client.ts'
import { type ApiServerPlace, apiServerFlags } from './api-server-flags.ts'
import { findKubeAssets } from './assets.ts'
import { auditPolicy } from './audit.ts'
import { readTarget } from './pki.ts'
import { findFreePort } from './port.ts'
import type { StartContext, StartedServer } from './started-server.ts'

/** Between looking for a free port and using it, somebody else may take it. */
const attempts = 3

/** Starts etcd and kube-apiserver and waits for /readyz. */
export async function startReal(context: StartContext): Promise<StartedServer> {
  const assets = await findKubeAssets(['kube-apiserver', 'etcd'])
  await writeFile(join(context.folder, 'audit-policy.yaml'), auditPolicy)
  const etcd = startEtcd(assets, context)
  try {
    return await startOnSomePort(assets, context, etcd)
  } catch (error) {
    await etcd.stop('SIGKILL')
    throw error
  }
}

async function startOnSomePort(assets: string, context: StartContext, etcd: Program): Promise<StartedServer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const port = context.port ?? (await findFreePort(context.netns))
      return await startOn(port, { assets, context, etcd })
    } catch (error) {
      if (attempt === attempts || context.port !== undefined) throw error
    }
  }
}

interface Parts {
  readonly assets: string
  readonly context: StartContext
  readonly etcd: Program
}

async function startOn(port: number, { assets, context, etcd }: Parts): Promise<StartedServer> {
  const { folder, netns } = context
  const flags = [...apiServerFlags(placeOf(context, port)), `--bind-address=${context.host}`, ...context.flags]
  const command = [join(assets, 'kube-apiserver'), ...flags]
  const apiServer = programOf(context, 'kube-apiserver', inNetwork(netns, command))
  const started = [apiServer]
  try {
    const socketPath = netns === undefined ? undefined : join(folder, `api-${port}.sock`)
    if (socketPath !== undefined) started.push(await startRelay(context, socketPath, port))
    const url = `https://${context.host}:${port}`
    await waitUntilReady(await readTarget(context.pki, url, socketPath), apiServer)
    return { url, auditFile: join(folder, 'audit.log'), socketPath, stop: () => stopAll([...started, etcd]) }
  } catch (error) {
    await stopAll(started)
    throw error
  }
}

/** Their data dies with them, and a kube-apiserver that is asked to end waits for its watches. */
async function stopAll(children: readonly Program[]): Promise<void> {
  for (const child of children) await child.stop('SIGKILL')
}

function startEtcd(assets: string, context: StartContext): Program {
  const { folder } = context
  // UNIX sockets alone: no port to collide on, reachable from every network namespace. The peer address is a
  // placeholder that etcd wants to see and never uses as the only member.
  const peer = 'http://127.0.0.1:1'
  const command = [
    join(assets, 'etcd'),
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=unix://${etcdSocket(context)}`,
    '--advertise-client-urls=unix://etcd.sock:1',
    `--listen-peer-urls=unix://${join(folder, 'etcd-peer.sock')}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=error',
  ]
  return programOf(context, 'etcd', command)
}

function programOf(context: StartContext, name: string, argv: readonly string[]): Program {
  return new Program({ name, argv, logFile: logOf(context, name) })
}

function logOf({ folder }: StartContext, name: string): string {
  return join(folder, 'logs', `${name}.log`)
}

function etcdSocket(context: StartContext): string {
  return join(context.folder, 'etcd.sock')
}

function placeOf(context: StartContext, port: number): ApiServerPlace {
  return { ...context, port, etcd: `unix://${etcdSocket(context)}` }
}

async function startRelay(context: StartContext, socketPath: string, port: number): Promise<Program> {
  const argv = inNetwork(context.netns, [process.execPath, join(import.meta.dirname, '../machine/relay.ts')])
  const told = { socketPath, host: context.host, port }
  const [program] = await startTold({ name: 'relay', argv, logFile: logOf(context, 'relay'), told })
  return program
}

async function waitUntilReady(admin: ApiTarget, server: Program): Promise<void> {
  const isReady = async () => {
    const answer = await sendRequest(admin, { method: 'GET', path: '/readyz' }).catch(() => undefined)
    return answer?.code === 200 || server.failIfEnded()
  }
  await until(`${server.name} to be ready`, isReady, { limitMs: 60_000 })
}
