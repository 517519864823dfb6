import { readdir, readFile, readlink, stat } from 'node:fs/promises'

/** Whether every process that has a socket bound to an abstract name is somebody else's. Unknown = no. */
export async function isBoundByOthers(name: string, uid: number): Promise<boolean> {
  const inodes = await inodesOf(name)
  if (inodes.size === 0) return false
  const pids = (await readdir('/proc')).filter(entry => /^\d+$/.test(entry))
  const owners = (await Promise.all(pids.map(pid => ownerIfHolding(pid, inodes)))).filter(owner => owner !== undefined)
  return owners.length > 0 && owners.every(owner => owner !== uid)
}

async function inodesOf(name: string): Promise<ReadonlySet<string>> {
  const table = (await readFile('/proc/net/unix', 'latin1')).split('\n').map(line => line.split(' '))
  const bound = table.filter(columns => columns.at(-1) === `@${name}`)
  return new Set(bound.map(columns => columns.at(-2) ?? ''))
}

async function ownerIfHolding(pid: string, inodes: ReadonlySet<string>): Promise<number | undefined> {
  try {
    const links = (await readdir(`/proc/${pid}/fd`)).map(fd => readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''))
    const sockets = (await Promise.all(links)).map(link => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? '')
    return sockets.some(inode => inodes.has(inode)) ? (await stat(`/proc/${pid}`)).uid : undefined
  } catch {
    // Ended this moment, or not ours to look at.
    return undefined
  }
}
