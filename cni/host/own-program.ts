import { statSync } from 'node:fs'

/** Whether a path leads to the executable that runs now, through whatever links. */
export function isOwnProgram(path: string): boolean {
  const [one, own] = [statSync(path, { throwIfNoEntry: false }), statSync('/proc/self/exe')]
  return one !== undefined && one.dev === own.dev && one.ino === own.ino
}
