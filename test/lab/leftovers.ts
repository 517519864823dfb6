import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { namespaceFolder } from './namespaces.ts'
import { registryFolder } from './registry.ts'

/** Everything on this machine that carries a run's id, a line each; empty after a clean stop. */
export function leftoversOf(id: string): string[] {
  const named = [registryFolder, namespaceFolder, tmpdir()].flatMap(folder =>
    namesIn(folder)
      .filter(name => name.includes(id))
      .map(name => join(folder, name)),
  )
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter(line => line.includes(id))
    .map(line => `mount ${line}`)
  return [...named, ...mounts, ...processesOf(id)]
}

/** Links of this machine's own network with a name that a lab gives: there must never be one. */
export function strayLinks(): string[] {
  return readdirSync('/sys/class/net').filter(name => /^(n\d+|control|segment|nm-lab|cni0|green0|blue0)$/.test(name))
}

function processesOf(id: string): string[] {
  return readdirSync('/proc')
    .filter(pid => /^\d+$/.test(pid) && environmentOf(pid).includes(`NOPAL_LAB_RUN=${id}`))
    .map(pid => `process ${pid}`)
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    // It ended while we looked.
    return []
  }
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}
