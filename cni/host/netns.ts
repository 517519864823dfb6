import { stat } from 'node:fs/promises'

/** Whether a path names the network namespace this process is in. A path that cannot be looked at does not. */
export async function isOwnNetns(path: string): Promise<boolean> {
  if (path === '') return false
  try {
    const [own, other] = await Promise.all([stat('/proc/self/ns/net'), stat(path)])
    return own.ino === other.ino && own.dev === other.dev
  } catch {
    return false
  }
}
