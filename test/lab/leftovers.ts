import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { registryFolder, runVariable } from './registry.ts'

/** Everything on this machine that carries a run's id, a line each; empty after a clean stop. */
export function leftoversOf(id: string): string[] {
  const named = [registryFolder, tmpdir()].flatMap(folder =>
    namesIn(folder)
      .filter(name => name.includes(id))
      .map(name => join(folder, name)),
  )
  return [...named, ...mountsOf(id), ...processesOf(id)]
}

/** Links of this machine's own network with a name that a lab gives: there must never be one. */
export function strayLinks(): string[] {
  return readdirSync('/sys/class/net').filter(name => /^(n\d+|control|segment|nm-lab|cni0|green0|blue0)$/.test(name))
}

/** Mounts in anybody's view: a node of another lab has a copy of all that was mounted when it began. */
function mountsOf(id: string): string[] {
  const lines = processIds().flatMap(pid => procFile(pid, 'mountinfo').split('\n'))
  return [...new Set(lines.filter(line => line.includes(id)).map(line => `mount ${line.split(' ')[4]}`))]
}

function processesOf(id: string): string[] {
  return processIds()
    .filter(pid => procFile(pid, 'environ').split('\0').includes(`${runVariable}=${id}`))
    .map(pid => `process ${pid}`)
}

function processIds(): string[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name))
}

/** Empty for a process that ended while we looked. */
function procFile(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return ''
  }
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}
