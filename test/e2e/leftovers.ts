import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { readCgroupMounts } from '../machine/cgroups.ts'
import { type ClusterPlan, machinePrefix, registryFolder } from './cluster/plan.ts'

/** All that is left of a cluster on this machine, one line each; empty is what `down` promises. */
export function leftoversOf({ id, folder }: ClusterPlan): string[] {
  return [
    ...groups(machinePrefix(id)).map(name => `control group ${name}`),
    ...processes(machinePrefix(id), folder),
    ...[folder, `${registryFolder}/${id}`].filter(path => existsSync(path)).map(path => `folder ${path}`),
  ]
}

function groups(prefix: string): string[] {
  const { folders } = readCgroupMounts()
  return folders.flatMap(top => entries(top).flatMap(name => (name.startsWith(prefix) ? [`${top}/${name}`] : [])))
}

/** By control group, by what they run, and by what they have mounted: a namespace lives in a process or a mount. */
function processes(prefix: string, folder: string): string[] {
  const pids = entries('/proc').filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
  return pids.flatMap(pid => {
    const marks = { cgroup: prefix, cmdline: `${folder}/`, mountinfo: `${folder}/` }
    const found = Object.entries(marks).filter(([file, mark]) => text(`/proc/${pid}/${file}`).includes(mark))
    return found.map(([file]) => `process ${pid} by its ${file}: ${text(`/proc/${pid}/comm`).trim()}`)
  })
}

function entries(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
