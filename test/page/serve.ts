import { reportRoutes } from '../../agent/report/routes.ts'
import { startReportServer } from '../../agent/report/server.ts'
import type { Status, StatusDocument } from '../../agent/report/status.ts'

const metrics = { contentType: 'text/plain', render: async () => '' }
const shares = { most: 100, mostOfOne: 16 }

/**
 * The real server on loopback, of a process that knows what the document says.
 * @param answers after so many it ends: whoever asks once more gets none
 */
export async function servePage(
  document: () => unknown,
  answers = Number.POSITIVE_INFINITY,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  let given = 0
  const status: Status = {
    add: () => undefined,
    document() {
      given += 1
      if (given > answers) void server.close()
      return document() as StatusDocument
    },
  }
  const routes = reportRoutes({ metrics, status })
  const server = await startReportServer({ listen: { host: '127.0.0.1', port: 0 }, routes, shares })
  return { url: `http://127.0.0.1:${server.port}/`, close: () => server.close() }
}
