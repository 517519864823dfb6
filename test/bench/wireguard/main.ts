import { type ChildProcess, fork, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../../machine/command.ts'
import { until } from '../../machine/wait.ts'
import { figuresOf, printTable } from '../cni/figures.ts'
import type { LookAnswer, LookConfig } from './looker.ts'

/**
 * Prints what one look at a device of 1,000 peers costs, beside programs that are run for a look: node
 * test/bench/wireguard/main.ts [PEERS [TURNS]] (root; a minute). The device is wireguard-go's, in namespaces of its own.
 */

const device = 'wg-bench'
const batch = 50
const head = ['what', 'median ms', 'p95 ms', 'CPU ms', 'RSS MB']
const [, , peersText = '1000', turnsText = '50', stage] = process.argv
const [peers, turns] = [Number(peersText), Number(turnsText)]

if (stage === 'inside') await measure()
else {
  const inside = 'mkdir -p /run/wireguard && mount -t tmpfs none /run/wireguard && ip link set lo up && exec "$@"'
  const self = [process.execPath, import.meta.filename, peersText, turnsText, 'inside']
  const words = [
    '--net',
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    'sh',
    '-c',
    inside,
    'sh',
    ...self,
  ]
  const [code] = await once(spawn('unshare', words, { stdio: 'inherit' }), 'exit')
  process.exitCode = Number(code)
}

async function measure(): Promise<void> {
  const keys = Array.from({ length: peers }, makeKey)
  await startDevice(keys)
  const looker = await startLooker({ device, keys })
  const programs = [
    ['wg', 'show', device, 'dump'],
    [process.execPath, '-e', '0'],
  ]
  const rows = [
    { name: 'a look by nopal', run: () => look(looker) },
    ...programs.map(argv => ({ name: argv.join(' ').replace(/.*\//, ''), run: () => runTimed(argv) })),
  ].map(row => ({ ...row, samples: [] as Cost[] }))
  // In turn, so that a busy moment of the machine is everybody's. The first ones fill caches.
  for (let turn = -5; turn < turns; turn += 1) {
    for (const { run, samples } of rows) {
      const cost = await run()
      if (turn >= 0) samples.push(cost)
    }
  }
  const rested = await askLooker(looker, 'rest')
  looker.kill()
  for (const [index, argv] of programs.entries()) {
    const cpuMs = await cpuOf(argv)
    for (const each of rows[index + 1]?.samples ?? []) each.cpuMs = cpuMs
  }
  process.stdout.write(`${peers} peers, ${turns} times in turn\n\n${printTable(head, rows.map(toRow))}\n`)
  process.stdout.write(
    `\nOf the agent's RSS what looks add; ${(rested.rss / 1e6).toFixed(1)} MB of it stay when it rests.\n`,
  )
}

/** Milliseconds; bytes, of the agent's code those that looks have added. */
interface Cost {
  readonly wallMs: number
  cpuMs: number
  readonly rss: number
}

function toRow({ name, samples }: { readonly name: string; readonly samples: readonly Cost[] }): readonly string[] {
  const wall = figuresOf(samples.map(({ wallMs }) => wallMs))
  const cpuMs = samples.reduce((sum, each) => sum + each.cpuMs, 0) / samples.length
  const rss = Math.max(...samples.map(each => each.rss)) / 1e6
  return [name, ...[wall.median, wall.p95, cpuMs, rss].map(figure => figure.toFixed(1))]
}

async function startDevice(keys: readonly string[]): Promise<void> {
  const env = { ...process.env, LOG_LEVEL: 'error', WG_PROCESS_FOREGROUND: '1' }
  spawn('wireguard-go', ['--foreground', device], { stdio: 'ignore', env })
  await until('wireguard-go', () => existsSync(`/run/wireguard/${device}.sock`))
  const peer = (key: string, index: number) => `[Peer]
PublicKey = ${key}
Endpoint = 203.0.${index >> 8}.${index & 255}:51821
AllowedIPs = 10.101.${index >> 8}.${index & 255}/32, 10.${128 + (index >> 8)}.${index & 255}.0/24
`
  const conf = `[Interface]\nPrivateKey = ${makeKey()}\nListenPort = 51821\n${keys.map(peer).join('')}`
  await runCommand(['sh', '-c', `cat | wg setconf ${device} /dev/stdin`], { input: conf })
  await runCommand(['ip', 'link', 'set', device, 'up'])
}

function makeKey(): string {
  const { x = '' } = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' })
  return Buffer.from(x, 'base64url').toString('base64')
}

async function startLooker(config: LookConfig): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'looker.ts'))
  child.on('exit', code => code === null || process.exit(1))
  child.send(config)
  await once(child, 'message')
  return child
}

async function askLooker(child: ChildProcess, what: 'look' | 'rest'): Promise<LookAnswer> {
  child.send(what)
  const [answer] = (await once(child, 'message')) as [LookAnswer]
  return answer
}

async function look(child: ChildProcess): Promise<Cost> {
  const answer = await askLooker(child, 'look')
  if (answer.peers !== peers) throw new Error(`${answer.peers} peers were seen`)
  return answer
}

/** One run for its time. GNU time tells of the CPU in hundredths of a second only: that is taken from many runs. */
async function runTimed(argv: readonly string[]): Promise<Cost> {
  const beganMs = performance.now()
  const { rss } = await timed(argv)
  return { wallMs: performance.now() - beganMs, cpuMs: 0, rss }
}

async function cpuOf(argv: readonly string[]): Promise<number> {
  const loop = `i=0; while [ $i -lt ${batch} ]; do "$@" >/dev/null; i=$((i + 1)); done`
  return (await timed(['sh', '-c', loop, 'sh', ...argv])).cpuMs / batch
}

async function timed(argv: readonly string[]): Promise<Omit<Cost, 'wallMs'>> {
  const child = spawn('/usr/bin/time', ['-f', '%U %S %M', ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.resume()
  let said = ''
  child.stderr.setEncoding('utf8').on('data', text => (said += text))
  await once(child, 'close')
  const [user = 0, system = 0, kilobytes = 0] = (said.trim().split('\n').at(-1) ?? '').split(' ').map(Number)
  return { cpuMs: (user + system) * 1000, rss: kilobytes * 1024 }
}
