import { SUPPORTED_VERSIONS } from '../spec/versions.ts'
import type { CniProcess } from './process.ts'
import { answerVersion } from './version.ts'

/**
 * Answers one request: at most one JSON document on stdout. What needs no more than a word is answered here.
 * @param serve answers the rest; it has much to load
 * @returns the exit code
 */
export async function dispatch(io: CniProcess, serve: () => Promise<number>): Promise<number> {
  if (io.env.CNI_COMMAND === 'VERSION') await answerVersion(io)
  else if (io.env.CNI_COMMAND) return serve()
  else {
    io.stderr(`kactus ${io.version}, CNI plugin that attaches pods to several networks\n`)
    io.stderr(`CNI versions: ${SUPPORTED_VERSIONS.join(', ')}\n`)
  }
  return 0
}
