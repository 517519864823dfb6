import { statSync } from 'node:fs'

/** Whether a path leads to a namespace. Plugins that are given another file wait for one, or fail for ever. */
export function isNetns(path: string): boolean {
  if (path === '') return false
  try {
    return statSync(path).dev === statSync('/proc/self/ns/net').dev
  } catch {
    return false
  }
}

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
