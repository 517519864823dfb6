import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { paintPage } from './chromium.ts'
import * as documents from './documents.ts'
import { servePage } from './serve.ts'

/** Paints the page in all its states: `node test/page/shots.ts FOLDER [STATE]`. */
const [folder = 'shots', only = ''] = process.argv.slice(2)
const states = {
  well: { document: documents.well, phone: 1_450, desktop: 1_100 },
  leak: { document: documents.leak, phone: 1_500, desktop: 1_300 },
  'api-down': { document: documents.apiDown, phone: 2_200, desktop: 1_250 },
  thousand: { document: documents.thousand, phone: 1_500, desktop: 1_000 },
  leader: { document: documents.leader, phone: 1_500, desktop: 900 },
  'leader-thousand': { document: documents.leaderThousand, phone: 1_500, desktop: 1_300 },
  standby: { document: documents.standby, phone: 800, desktop: 500 },
  gone: { document: documents.well, phone: 1_450, desktop: 1_100, answers: 1, timeMs: 95_000 },
} as const

await mkdir(folder, { recursive: true })
for (const [name, state] of Object.entries(states)) {
  if (!name.includes(only)) continue
  const { document, phone, desktop, ...how } = { answers: Number.POSITIVE_INFINITY, timeMs: 1_000, ...state }
  for (const [look, size] of Object.entries({
    phone: { width: 360, height: phone },
    desktop: { width: 1_200, height: desktop },
    dark: { width: 1_200, height: desktop, dark: true },
  })) {
    const server = await servePage(() => document, how.answers)
    await paintPage({ url: server.url, timeMs: how.timeMs, ...size }, join(folder, `${name}-${look}.png`))
    await server.close()
  }
}
