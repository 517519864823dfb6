import { spawn } from 'node:child_process'
import { glob, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../cni/host/system-error.ts'
import { type Commands, type Lane, lanes, stages, type Tests } from './lanes.ts'
import type { TapSummary } from './tap-output.ts'
import { runTestFile } from './test-file.ts'

interface Count {
  readonly passed: number
  readonly failed: number
}

const root = join(import.meta.dirname, '..')
const none: Count = { passed: 0, failed: 0 }
/** How long a file whose time is over may take to clean up. */
const graceMs = 15_000

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const add = (a: Count, b: Count): Count => ({ passed: a.passed + b.passed, failed: a.failed + b.failed })

function chooseLanes(args: readonly string[]): readonly Lane[] {
  const names = { type: 'string', multiple: true, default: [] as string[] } as const
  const { values } = parseArgs({ args: [...args], options: { quick: { type: 'boolean' }, only: names, skip: names } })
  const unknown = [...values.only, ...values.skip].find(name => !lanes.some(lane => lane.name === name))
  if (unknown !== undefined)
    throw new Error(`no lane ${unknown}; there are: ${lanes.map(lane => lane.name).join(', ')}`)
  return lanes
    .filter(lane => values.only.length === 0 || values.only.includes(lane.name))
    .filter(lane => !values.skip.includes(lane.name))
    .filter(lane => !values.quick || lane.quick)
}

/** Runs to the end; output goes to the terminal, or is collected and shown only when the program fails. */
function run(command: readonly string[], options: { quiet?: boolean } = {}): Promise<boolean> {
  const [program = '', ...args] = command
  return new Promise(resolve => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: ['ignore', options.quiet ? 'pipe' : 'inherit', options.quiet ? 'pipe' : 'inherit'],
    })
    const output: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => output.push(chunk))
    child.on('error', error => {
      say(`  ${program}: ${error.message}`)
      resolve(false)
    })
    child.on('close', code => {
      if (code !== 0 && options.quiet) say(Buffer.concat(output).toString().trimEnd())
      resolve(code === 0)
    })
  })
}

async function runCommands({ commands }: Commands): Promise<Count> {
  let count = none
  for (const [name, command] of Object.entries(commands)) {
    const passed = await run(command, { quiet: true })
    if (!passed) say(`  not ok: ${name}`)
    count = add(count, passed ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 })
  }
  return count
}

/** Whether at least that share of the lines was run; a file that no test loads counts as wholly uncovered. */
function checkCoverage(floor: number, work: string): Promise<boolean> {
  const sources = ['agent', 'cni'].flatMap(folder => ['--src', folder, '--include', `${folder}/**/*.ts`])
  const folders = ['--temp-directory', join(work, 'v8'), '--reports-dir', join(work, 'report')]
  const floors = ['--lines', `${floor}`, '--statements', '0', '--functions', '0', '--branches', '0']
  const report = ['report', '--all', '--reporter', 'text-summary', '--check-coverage']
  return run(['c8', ...report, ...sources, ...folders, ...floors])
}

async function runTests(tests: Tests, signal: AbortSignal): Promise<Count> {
  const files = (await Array.fromAsync(glob([...tests.files], { cwd: root }))).sort()
  if (files.length === 0) {
    say('  no test file')
    return { passed: 0, failed: 1 }
  }
  const work = await mkdtemp(join(tmpdir(), 'nopal-test-'))
  try {
    const covered = tests.coverage !== undefined
    // What was compiled once is not compiled again; but functions from there are not counted as run.
    const env = covered
      ? { NODE_V8_COVERAGE: join(work, 'v8') }
      : { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled') }
    const timeoutMs = tests.timeoutSeconds * 1000
    const options = { cwd: root, timeoutMs, graceMs, signal, env }
    const found = await inTurn(files, tests.jobs, async file =>
      signal.aborted ? { ...none, problems: [] } : runTestFile(file, options),
    )
    const isMissed = tests.coverage !== undefined && !(await checkCoverage(tests.coverage, work))
    return found.reduce(add, isMissed ? { passed: 0, failed: 1 } : none)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Runs files side by side, tells what is wrong as each ends, and in the end which took longest. */
async function inTurn(
  files: readonly string[],
  jobs: number,
  runFile: (file: string) => Promise<TapSummary>,
): Promise<readonly TapSummary[]> {
  const found: TapSummary[] = []
  const times: { file: string; seconds: number }[] = []
  const left = files[Symbol.iterator]()
  const worker = async () => {
    for (const file of left) {
      const start = performance.now()
      const summary = await runFile(file)
      for (const problem of summary.problems) say(problem)
      times.push({ file, seconds: (performance.now() - start) / 1000 })
      found.push(summary)
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
  const slowest = times.toSorted((a, b) => b.seconds - a.seconds).slice(0, 3)
  say(`  slowest: ${slowest.map(({ file, seconds }) => `${file} ${seconds.toFixed(0)} s`).join(', ')}`)
  return found
}

async function prepare(lane: Lane): Promise<string | undefined> {
  if (lane.root && process.getuid?.() !== 0) return `needs root; run as root, or leave it out with --skip ${lane.name}`
  // Its progress is for people; the folder that it prints is not.
  const build = ['sh', '-c', 'scripts/kube-assets.sh "$@" >/dev/null', 'kube-assets']
  for (const names of lane.programs) if (!(await run([...build, ...names]))) return 'its programs could not be built'
  return undefined
}

/** Programs are built before anything runs: beside tests that wait for something they would take its time. */
async function runStage(tracks: readonly (readonly Lane[])[], signal: AbortSignal): Promise<Count> {
  const obstacles = new Map<Lane, string>()
  for (const lane of tracks.flat()) {
    const obstacle = await prepare(lane)
    if (obstacle !== undefined) obstacles.set(lane, obstacle)
  }
  const counts = tracks.map(async track => {
    let count = none
    for (const lane of track) if (!signal.aborted) count = add(count, await runLane(lane, obstacles.get(lane), signal))
    return count
  })
  return (await Promise.all(counts)).reduce(add, none)
}

async function runLane(lane: Lane, obstacle: string | undefined, signal: AbortSignal): Promise<Count> {
  if (obstacle !== undefined) {
    say(`== ${lane.name}: cannot run: ${obstacle}`)
    return { passed: 0, failed: 1 }
  }
  say(`== ${lane.name}`)
  const start = performance.now()
  const count = 'commands' in lane.work ? await runCommands(lane.work) : await runTests(lane.work, signal)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  say(`== ${lane.name}: ${count.passed} passed, ${count.failed} failed in ${seconds} s`)
  return count
}

async function buildAll(): Promise<boolean> {
  return (await run(['./build.sh'])) && run(['./build.sh', '--packager', 'pkg'], { quiet: true })
}

async function main(args: readonly string[]): Promise<void> {
  const chosen = chooseLanes(args)
  const isBuilt = !chosen.some(lane => lane.needsBuild) || (await buildAll())
  let total = isBuilt ? none : { passed: 0, failed: 1 }
  const told = new AbortController()
  // Tests clean up when they are told to end; a terminal tells them itself.
  process.once('SIGTERM', () => told.abort())
  if (total.failed === 0) {
    for (const tracks of stages) {
      const found = tracks.map(track => track.filter(lane => chosen.includes(lane)))
      if (!told.signal.aborted) total = add(total, await runStage(found, told.signal))
    }
  }
  if (told.signal.aborted) total = add(total, { passed: 0, failed: 1 })
  say(`${total.passed} passed, ${total.failed} failed`)
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`test: ${messageOf(error)}\n`)
  process.exitCode = 2
}
