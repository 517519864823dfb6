import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** How the browser is started. */
interface Look {
  /** On loopback. */
  readonly url: string
  readonly width: number
  readonly height: number
  readonly dark?: boolean
  /** Of the page's own time, which passes as fast as the machine can. */
  readonly timeMs?: number
}

/** One that hangs is a fault of its own, not of the whole file. */
const longestMs = 120_000

const flags = [
  '--headless',
  // Root has no sandbox to give away; what it looks at is our own.
  '--no-sandbox',
  '--disable-gpu',
  // A container may have little of it.
  '--disable-dev-shm-usage',
  '--hide-scrollbars',
  '--no-first-run',
  '--disable-extensions',
  '--disable-component-update',
  '--disable-background-networking',
  '--disable-sync',
  '--disable-domain-reliability',
  '--no-pings',
  '--metrics-recording-only',
  // Every way to the network but loopback leads nowhere.
  '--proxy-server=127.0.0.1:1',
  '--proxy-bypass-list=127.0.0.1',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
]

/** The page as it stands after a while, as HTML. */
export function dumpPage(look: Look): Promise<string> {
  return run(look, ['--dump-dom'])
}

/** A picture of the page, as PNG. */
export async function paintPage(look: Look, file: string): Promise<void> {
  await run(look, [`--screenshot=${file}`])
}

async function run(
  { url, width, height, dark = false, timeMs = 1_000 }: Look,
  more: readonly string[],
): Promise<string> {
  const profile = await mkdtemp(join(tmpdir(), 'nopal-page-'))
  const own = [
    `--user-data-dir=${profile}`,
    `--window-size=${width},${height}`,
    `--virtual-time-budget=${timeMs}`,
    ...(dark ? ['--blink-settings=preferredColorScheme=0'] : ['--blink-settings=preferredColorScheme=1']),
  ]
  const child = spawn('chromium', [...flags, ...own, ...more, url], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: longestMs,
    killSignal: 'SIGKILL',
  })
  try {
    const [out, err] = [child.stdout, child.stderr].map(stream => Array.fromAsync(stream.setEncoding('utf8')))
    const [code, signal] = await once(child, 'close')
    if (code !== 0) throw new Error(`chromium ended with ${code ?? signal}: ${(await err)?.join('')}`)
    return (await out)?.join('') ?? ''
  } finally {
    child.kill('SIGKILL')
    await rm(profile, { recursive: true, force: true })
  }
}
