import { runCommand } from './command.ts'
import { dispatch } from './dispatch.ts'
import type { CniProcess } from './process.ts'

/**
 * Answers whatever is asked.
 * @returns the exit code
 */
export function serve(io: CniProcess, uid: number): Promise<number> {
  return dispatch(io, (request, conf) => runCommand(io, uid, { request, conf }))
}
