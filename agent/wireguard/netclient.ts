import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** How an attempt to have netclient forget ended: not its turn, no such program, or not allowed. */
export type ResetOutcome = 'done' | 'busy' | 'absent' | 'refused'

/** How netclient names its interfaces; another program's device is none that it could heal. */
const ownDevices = /^(netmaker|nm-)/

/**
 * The process of the netclient that owns a device: root's, of that name, in our network; undefined = there is none.
 * @param proc /proc of the host's processes
 */
export async function findNetclient(device: string, proc = '/proc'): Promise<number | undefined> {
  if (!ownDevices.test(device)) return undefined
  const pids = (await readdir(proc)).filter(name => /^\d+$/.test(name))
  for (const pid of pids) if (await isNetclient(join(proc, pid), join(proc, 'self'))) return Number(pid)
  return undefined
}

async function isNetclient(process: string, self: string): Promise<boolean> {
  try {
    if ((await readFile(join(process, 'comm'), 'utf8')).trim() !== 'netclient') return false
    return (await stat(process)).uid === 0 && (await sharesNetwork(process, self))
  } catch {
    // It has ended meanwhile.
    return false
  }
}

/** A process with more rights than ours does not show its namespace; but it shows the interfaces that it sees. */
async function sharesNetwork(process: string, self: string): Promise<boolean> {
  const network = (of: string) => readlink(join(of, 'ns/net'))
  try {
    return (await network(process)) === (await network(self))
  } catch {
    const interfaces = async (of: string) =>
      (await readFile(join(of, 'net/dev'), 'latin1')).split('\n').map(line => line.split(':')[0])
    return String(await interfaces(process)) === String(await interfaces(self))
  }
}

/**
 * Has netclient start afresh, as its own `netclient pull` does: it takes its interface down and up again and forgets the
 * endpoints that it has learned.
 */
export async function resetNetclient(device: string): Promise<Exclude<ResetOutcome, 'busy'>> {
  const pid = await findNetclient(device)
  if (pid === undefined) return 'absent'
  try {
    process.kill(pid, 'SIGHUP')
    return 'done'
  } catch {
    return 'refused'
  }
}
