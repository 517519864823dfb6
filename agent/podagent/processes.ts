import { readdirSync, readFileSync } from 'node:fs'

const containerId = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g

/** Ids of the containers that processes of this machine belong to, by the names of their control groups. */
export function livingContainers(proc = '/proc'): ReadonlySet<string> {
  const pids = readdirSync(proc).filter(name => /^\d+$/.test(name))
  return new Set(pids.flatMap(pid => readGroups(`${proc}/${pid}/cgroup`).match(containerId) ?? []))
}

function readGroups(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // It has ended meanwhile.
    return ''
  }
}
