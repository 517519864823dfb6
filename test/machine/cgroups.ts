import { readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { until } from './wait.ts'

/** Where this machine's control groups are mounted. */
export interface CgroupMounts {
  readonly version: 1 | 2
  /** Every hierarchy; a container's folders may be in each. */
  readonly folders: readonly string[]
  /** The hierarchy by which processes are found again: every process of ours is below a folder of ours here. */
  readonly tracking: string
}

/** No control groups that a kubelet could use. */
class NoCgroups extends Error {
  override readonly name = 'NoCgroups'
  readonly code = 'NoCgroups'
}

/** The folder below a machine's own in which its daemons run; version 2 wants processes in leaves only. */
export const daemonsFolder = 'daemons'

/** Reads the hierarchies out of /proc/self/mountinfo. Version 1 with a version 2 mount beside it counts as 1. */
export function parseCgroupMounts(mountinfo: string): CgroupMounts {
  const rows = mountinfo.split('\n').map(parseMountLine)
  const found = rows.filter(row => row.type === 'cgroup' || row.type === 'cgroup2')
  const folders = [...new Set(found.map(row => row.folder))]
  const pids = found.find(row => row.type === 'cgroup' && row.options.includes('pids'))
  const unified = found.find(row => row.type === 'cgroup2')
  if (pids !== undefined) return { version: 1, folders, tracking: pids.folder }
  if (unified === undefined)
    throw new NoCgroups('no cgroup mounts: neither the pids controller of version 1 nor version 2')
  return { version: 2, folders, tracking: unified.folder }
}

/** The control groups of the machine we are on. */
export function readCgroupMounts(): CgroupMounts {
  return parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'))
}

function parseMountLine(line: string): { folder: string; type: string; options: string[] } {
  const [left = '', right = ''] = line.split(' - ')
  const [type = '', , options = ''] = right.split(' ')
  const folder = (left.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal) =>
    String.fromCharCode(parseInt(octal, 8)),
  )
  return { folder, type, options: options.split(',') }
}

/** Makes the folder `name` in every hierarchy, ready for a kubelet to build below it. */
export async function makeCgroup(mounts: CgroupMounts, name: string): Promise<void> {
  for (const folder of mounts.folders) await mkdir(join(folder, name), { recursive: true })
  if (mounts.version === 2) {
    await passControllersOn(mounts.tracking)
    await passControllersOn(join(mounts.tracking, name))
  }
  await mkdir(join(mounts.tracking, name, daemonsFolder), { recursive: true })
}

/** In version 2 a child has only the controllers its parent hands down. */
async function passControllersOn(folder: string): Promise<void> {
  const has = words(await readFile(join(folder, 'cgroup.controllers'), 'utf8'))
  const passed = words(await readFile(join(folder, 'cgroup.subtree_control'), 'utf8'))
  for (const controller of has.filter(name => !passed.includes(name))) {
    await writeFile(join(folder, 'cgroup.subtree_control'), `+${controller}`).catch(error => {
      // kubelet needs these; the others are a bonus.
      if (!['cpu', 'cpuset', 'memory', 'pids'].includes(controller)) return
      throw new NoCgroups(
        `${folder} cannot hand down the controller ${controller}: in a container, move its processes into a child group first`,
        { cause: error },
      )
    })
  }
}

function words(text: string): string[] {
  return text.split(/\s+/).filter(word => word !== '')
}

/** Names of the groups at the top of any hierarchy that begin with `prefix`. */
export async function listCgroups(mounts: CgroupMounts, prefix: string): Promise<string[]> {
  const names = await Promise.all(mounts.folders.map(folder => readdir(folder)))
  return [...new Set(names.flat().filter(name => name.startsWith(prefix)))]
}

/** Every process below the group, in no order. */
export async function processesIn(mounts: CgroupMounts, name: string): Promise<number[]> {
  const folders = await foldersBelow(join(mounts.tracking, name))
  const lists = await Promise.all(folders.map(folder => readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '')))
  return lists.flatMap(words).map(Number)
}

/** Kills all that runs below the group and takes its folders away. */
export async function removeCgroup(mounts: CgroupMounts, name: string): Promise<void> {
  await until(
    `processes of ${name} gone`,
    async () => {
      await thaw(mounts, name)
      const pids = await processesIn(mounts, name)
      for (const pid of pids) killQuietly(pid)
      return pids.length === 0
    },
    { limitMs: 30_000, everyMs: 20, despiteErrors: true },
  )
  await until(
    `control groups of ${name} gone`,
    async () => {
      for (const folder of mounts.folders) await removeFolders(join(folder, name))
      return true
    },
    { limitMs: 10_000, everyMs: 20, despiteErrors: true },
  )
}

/** True while a process that was below the group is still ending: its namespaces and mounts end with it. */
export async function isEnding(name: string): Promise<boolean> {
  const pids = (await readdir('/proc')).filter(entry => /^\d+$/.test(entry))
  const texts = await Promise.all(pids.map(pid => readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '')))
  return texts.some(text => text.includes(`/${name}`))
}

/** A frozen process of version 1 takes no signal, not even SIGKILL. */
async function thaw(mounts: CgroupMounts, name: string): Promise<void> {
  const freezer = mounts.folders.find(folder => basename(folder) === 'freezer')
  if (freezer === undefined) return
  const folders = await foldersBelow(join(freezer, name))
  await Promise.all(folders.map(folder => writeFile(join(folder, 'freezer.state'), 'THAWED').catch(() => undefined)))
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended between the listing and the signal.
  }
}

async function removeFolders(top: string): Promise<void> {
  for (const folder of (await foldersBelow(top)).reverse()) {
    await rmdir(folder).catch(error => {
      if (error.code !== 'ENOENT') throw error
    })
  }
}

/** The folder and all below it, parents first; empty if it is not there. */
async function foldersBelow(top: string): Promise<string[]> {
  const entries = await readdir(top, { withFileTypes: true }).catch(() => undefined)
  if (entries === undefined) return []
  const children = entries.filter(entry => entry.isDirectory()).map(entry => foldersBelow(join(top, entry.name)))
  return [top, ...(await Promise.all(children)).flat()]
}
