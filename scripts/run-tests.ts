import { spawn } from 'node:child_process'
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Commands, type Lane, lanes, type Tests } from './lanes.ts'
import { readTap } from './tap-output.ts'

interface Count {
  readonly passed: number
  readonly failed: number
}

const root = join(import.meta.dirname, '..')
const none: Count = { passed: 0, failed: 0 }

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

function coverageOf(floor: number, work: string): readonly string[] {
  const sources = ['agent', 'cni'].flatMap(folder => ['--src', folder, '--include', `${folder}/**/*.ts`])
  const folders = ['--temp-directory', join(work, 'v8'), '--reports-dir', join(work, 'report')]
  // --all: a file that no test loads counts as wholly uncovered.
  return [
    'c8',
    '--all',
    ...sources,
    ...folders,
    '--reporter',
    'text-summary',
    '--check-coverage',
    '--lines',
    `${floor}`,
    '--statements',
    '0',
    '--functions',
    '0',
    '--branches',
    '0',
  ]
}

async function runTests(tests: Tests): Promise<Count> {
  const files = (await Array.fromAsync(glob([...tests.files], { cwd: root }))).sort()
  if (files.length === 0) {
    say('  no test file')
    return { passed: 0, failed: 1 }
  }
  const work = await mkdtemp(join(tmpdir(), 'nopal-test-'))
  try {
    const output = join(work, 'tap')
    const tap = [
      'tap',
      '--disable-coverage',
      '--reporter=silent',
      `--output-file=${output}`,
      `--jobs=${tests.jobs}`,
      `--timeout=${tests.timeoutSeconds}`,
      ...files,
    ]
    const wrap = tests.coverage === undefined ? [] : coverageOf(tests.coverage, work)
    const ended = await run([...wrap, ...tap], { quiet: tests.coverage === undefined })
    const { passed, failed, problems } = readTap(await readFile(output, 'utf8').catch(() => ''), files)
    for (const problem of problems) say(problem)
    // The runner failed though no test did: a coverage floor missed, a file not loaded.
    return { passed, failed: failed === 0 && !ended ? 1 : failed }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function prepare(lane: Lane): Promise<string | undefined> {
  if (lane.root && process.getuid?.() !== 0) return `needs root; run as root, or leave it out with --skip ${lane.name}`
  // Its progress is for people; the folder that it prints is not.
  const build = ['sh', '-c', 'scripts/kube-assets.sh "$@" >/dev/null', 'kube-assets']
  for (const names of lane.programs) if (!(await run([...build, ...names]))) return 'its programs could not be built'
  return undefined
}

async function runLane(lane: Lane): Promise<Count> {
  say(`== ${lane.name}`)
  const start = performance.now()
  const obstacle = await prepare(lane)
  if (obstacle !== undefined) {
    say(`== ${lane.name}: cannot run: ${obstacle}`)
    return { passed: 0, failed: 1 }
  }
  const ready = performance.now()
  const count = 'commands' in lane.work ? await runCommands(lane.work) : await runTests(lane.work)
  const seconds = (from: number): string => ((performance.now() - from) / 1000).toFixed(1)
  const preparation = ready - start > 1000 ? ` (and ${((ready - start) / 1000).toFixed(1)} s of preparation)` : ''
  say(`== ${lane.name}: ${count.passed} passed, ${count.failed} failed in ${seconds(ready)} s${preparation}`)
  return count
}

async function main(args: readonly string[]): Promise<void> {
  const chosen = chooseLanes(args)
  let total = none
  if (chosen.some(lane => lane.needsBuild)) {
    const built = (await run(['./build.sh'])) && (await run(['./build.sh', '--packager', 'pkg'], { quiet: true }))
    if (!built) total = { passed: 0, failed: 1 }
  }
  if (total.failed === 0) for (const lane of chosen) total = add(total, await runLane(lane))
  say(`${total.passed} passed, ${total.failed} failed`)
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`test: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
}
