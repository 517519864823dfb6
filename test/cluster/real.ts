import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ApiTarget, sendRequest } from './api-client.ts'
import { type ApiServerPlace, apiServerFlags } from './api-server-flags.ts'
import { findKubeAssets } from './assets.ts'
import { auditPolicy } from './audit.ts'
import { startNodeChild } from './node-child.ts'
import { readTarget } from './pki.ts'
import { findFreePort } from './port.ts'
import { type Child, lastLines, startChild, stopChild } from './process.ts'
import type { StartContext, StartedServer } from './started-server.ts'

const graceMs = 5000
const readyLimitMs = 60_000
/** Between looking for a free port and using it, somebody else may take it. */
const attempts = 3

/** Starts etcd and kube-apiserver and waits for /readyz. */
export async function startReal(context: StartContext): Promise<StartedServer> {
  const assets = await findKubeAssets(['kube-apiserver', 'etcd'])
  await writeFile(join(context.folder, 'audit-policy.yaml'), auditPolicy)
  const etcd = await startEtcd(assets, context)
  try {
    return await startOnSomePort(assets, context, etcd)
  } catch (error) {
    await stopChild(etcd, graceMs)
    throw error
  }
}

async function startOnSomePort(assets: string, context: StartContext, etcd: Child): Promise<StartedServer> {
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
  readonly etcd: Child
}

async function startOn(port: number, { assets, context, etcd }: Parts): Promise<StartedServer> {
  const { folder, netns } = context
  const flags = [...apiServerFlags(placeOf(context, port)), `--bind-address=${context.host}`, ...context.flags]
  const command = [join(assets, 'kube-apiserver'), ...flags]
  const apiServer = await startChild({ name: 'kube-apiserver', folder: join(folder, 'logs'), netns, command })
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

/** In order: an apiserver that lost its etcd takes a minute to stop. */
async function stopAll(children: readonly Child[]): Promise<void> {
  for (const child of children) await stopChild(child, graceMs)
}

async function startEtcd(assets: string, context: StartContext): Promise<Child> {
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
  return startChild({ name: 'etcd', folder: join(folder, 'logs'), command })
}

function etcdSocket(context: StartContext): string {
  return join(context.folder, 'etcd.sock')
}

function placeOf(context: StartContext, port: number): ApiServerPlace {
  return { ...context, port, etcd: `unix://${etcdSocket(context)}` }
}

async function startRelay(context: StartContext, socketPath: string, port: number): Promise<Child> {
  const [child] = await startNodeChild({
    name: 'relay',
    file: join(import.meta.dirname, 'socket-relay.ts'),
    folder: join(context.folder, 'logs'),
    netns: context.netns,
    config: { socketPath, host: context.host, port },
  })
  return child
}

async function waitUntilReady(admin: ApiTarget, child: Child): Promise<void> {
  const deadline = performance.now() + readyLimitMs
  for (;;) {
    const ended = await Promise.race([child.ended, sleep(50)])
    if (ended !== undefined) throw await startFailure(child, ended)
    const answer = await sendRequest(admin, { method: 'GET', path: '/readyz' }).catch(() => undefined)
    if (answer?.code === 200) return
    if (performance.now() > deadline) throw await startFailure(child, `not ready after ${readyLimitMs} ms`)
  }
}

async function startFailure(child: Child, how: string): Promise<Error> {
  return new Error(`${child.name} did not start (${how}): ${await lastLines(child, 5)}`)
}
