import { statSync } from 'node:fs'

/** Whether a path names the network namespace this process is in. A path that cannot be looked at does not. */
export function isOwnNetns(path: string): boolean {
  if (path === '') return false
  try {
    const [own, other] = [statSync('/proc/self/ns/net'), statSync(path)]
    return own.ino === other.ino && own.dev === other.dev
  } catch {
    return false
  }
}
