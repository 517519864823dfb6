import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContainerRecord } from '../../cni/networks/record.ts'
import { readRecords } from '../../cni/networks/record-folder.ts'
import type { Machine } from '../machine/machine.ts'
import { nodeConf } from './cluster/node.ts'
import { mesh } from './cluster/plan.ts'

/** What nopal puts on a node. */
export const ownFiles = {
  conf: '/etc/cni/net.d/05-kactus.conflist',
  kubeconfig: '/etc/cni/net.d/kactus.d/kactus-kubeconfig.yaml',
  binary: '/opt/cni/bin/kactus',
} as const

const hiddenConf = '/etc/cni/10-e2e.hidden'
const state = '/var/lib/cni'

export async function isThere(machine: Machine, path: string): Promise<boolean> {
  return existsSync(machine.path(path))
}

/** What kactus remembers of a pod. */
export async function recordOf(machine: Machine, podUid: string): Promise<ContainerRecord | undefined> {
  const { records } = await readRecords(machine.path(join(state, 'kactus')))
  return records.find(record => record.pod?.uid === podUid)
}

/** What is remembered below the CNI folders of containers that are no more: addresses, records, results. */
export async function strayTraces(machine: Machine, folders: readonly string[] = ['.']): Promise<readonly string[]> {
  const live = new Set((await machine.run(['ctr', '-n', 'k8s.io', 'containers', 'ls', '-q'])).split('\n'))
  const known = await machine.shell(`cd ${state}; find ${folders.join(' ')} -type f -print -exec cat {} +`)
  const ids = new Set(known.match(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g))
  return [...ids].filter(id => !live.has(id))
}

/** The addresses that host-local has given out and not taken back. */
export async function addressesOf(machine: Machine): Promise<readonly string[]> {
  const files = await machine.run(['find', `${state}/networks`, '-type', 'f', '-printf', '%f\n'])
  return files.split('\n').filter(name => /^[\d.]+$/.test(name))
}

/** The sandboxes that the node's own default network attached by itself, before kactus came or after it went. */
export async function olderSandboxes(machine: Machine): Promise<readonly string[]> {
  return (await readdir(machine.path(`${state}/results`))).filter(name => name.startsWith('e2e-'))
}

/** Name, inode and time of every file below the folders: nothing was written between two equal ones. */
export async function printFolders(machine: Machine, folders: readonly string[]): Promise<readonly string[]> {
  const find = ['find', ...folders, '-type', 'f', '-printf', '%p %i %T@\\n']
  return (await machine.run(find))
    .split('\n')
    .filter(line => line !== '')
    .sort()
}

/** The name of the default network inside kactus' conf; undefined while there is none. */
export async function wrappedNetwork(machine: Machine): Promise<string | undefined> {
  if (!(await isThere(machine, ownFiles.conf))) return undefined
  const list = JSON.parse(await readFile(machine.path(ownFiles.conf), 'utf8')) as {
    plugins: { delegates: { name: string }[] }[]
  }
  return list.plugins[0]?.delegates[0]?.name
}

/** The files that a runtime chooses its default network from, the chosen one first. */
export async function confsOf(machine: Machine): Promise<readonly string[]> {
  const names = await readdir(machine.path('/etc/cni/net.d'))
  return names.filter(name => name.endsWith('.conflist') || name.endsWith('.conf')).sort()
}

/** Takes the node's own default network away, as on a node whose CNI has not come yet. */
export async function hideDefaultNetwork(machine: Machine): Promise<void> {
  await machine.run(['mv', nodeConf, hiddenConf])
}

/** As a CNI's installer does: whole, by a rename in the folder. */
export async function showDefaultNetwork(machine: Machine): Promise<void> {
  await machine.shell(`cp ${hiddenConf} /etc/cni/net.d/.late; mv /etc/cni/net.d/.late ${nodeConf}; rm ${hiddenConf}`)
}

/** Lets nothing of the mesh in or out of a node, as a firewall in between does. */
export async function cutMesh(machine: Machine): Promise<void> {
  const rules = ['input', 'output'].map(
    hook => `chain ${hook} { type filter hook ${hook} priority 0; udp dport ${mesh.port} drop; }`,
  )
  await machine.run(['nft', '-f', '-'], { input: `table inet cut {\n${rules.join('\n')}\n}\n` })
}

export async function mendMesh(machine: Machine): Promise<void> {
  await machine.run(['nft', 'delete', 'table', 'inet', 'cut'])
}
