import { dump } from 'js-yaml'
import { Parser, type Result } from 'tap-parser'

/**
 * What a file of tests found, in tests: a test is a block with a name that holds no other, or that asserts something
 * beside those it holds. Skipped and unfinished ones count as failed: a lane that did not run is not green.
 */
export interface TapSummary {
  readonly passed: number
  readonly failed: number
  /** For people: each failure with its details, each skip. */
  readonly problems: readonly string[]
}

/** A line that says how something ended. */
type Line = Pick<Result, 'ok' | 'name' | 'skip' | 'todo' | 'diag'>

/** A block of assertions, and the blocks in it. */
interface Block {
  /** Its name after those of the blocks around it. */
  readonly path: readonly string[]
  readonly blocks: Block[]
  /** Its own assertions. */
  readonly asserts: Line[]
  /** Its last line, which is an assertion of the block around it. */
  end: Line | undefined
}

/** The process that ran a file of tests. */
export interface TestProcess {
  readonly file: string
  readonly code: number | null
  readonly signal: string | null
}

/** Reads what a file of tests printed (TAP 14) and how it ended. One that holds no test has failed. */
export function readTap(text: string, { file, code, signal }: TestProcess): TapSummary {
  const parser = new Parser()
  const block = fill(parser, [file])
  parser.on('bailout', reason => block.asserts.push(fault(`given up: ${reason}`)))
  parser.end(text)
  if (block.asserts.length === 0 && block.blocks.length === 0) block.asserts.push(fault('there is no test in it'))
  const kept = parser.results?.ok === true
  block.end =
    code === 0 && kept ? fine : fault(code === 0 ? 'not all that was planned' : `ended with ${code ?? signal}`)
  return judge(block)
}

function fault(name: string): Line {
  return { ok: false, name, skip: false, todo: false, diag: null }
}

const fine: Line = { ...fault(''), ok: true }

/** A block that fills while a text is read. */
function fill(parser: Parser, path: readonly string[]): Block {
  const block: Block = { path, blocks: [], asserts: [], end: undefined }
  let open: Block | undefined
  parser.on('child', child => {
    open = fill(child, [...path, child.name])
    block.blocks.push(open)
  })
  parser.on('assert', result => {
    if (open === undefined) block.asserts.push(result)
    else open.end = result
    open = undefined
  })
  return block
}

function judge(block: Block): TapSummary {
  const inner = joinSummaries(block.blocks.map(judge))
  const faults = block.asserts.filter(isBad)
  // A block may fail beside all that is in it: in a teardown, by its exit code, by ending too early.
  if (faults.length === 0 && inner.failed === 0 && isBad(block.end)) faults.push(block.end ?? fault('it did not end'))
  const isTest = block.blocks.length === 0 || block.asserts.length > 0
  const itself = faults.length > 0 ? { passed: 0, failed: 1 } : { passed: isTest ? 1 : 0, failed: 0 }
  return joinSummaries([inner, { ...itself, problems: faults.map(line => describe(line, block)) }])
}

function isBad(line: Line | undefined): boolean {
  return line === undefined || !line.ok || Boolean(line.skip) || Boolean(line.todo)
}

/** The sum of what several found. */
function joinSummaries(parts: readonly TapSummary[]): TapSummary {
  const sum = (of: 'passed' | 'failed') => parts.reduce((total, part) => total + part[of], 0)
  return { passed: sum('passed'), failed: sum('failed'), problems: parts.flatMap(({ problems }) => problems) }
}

function describe({ ok, name, skip, todo, diag }: Line, { path }: Block): string {
  const why = [skip, todo].find(reason => typeof reason === 'string') ?? ''
  const where = `${name}  [${path.join(' > ')}]`
  if (ok || skip || todo) return `  not run: ${where} ${why}`.trimEnd()
  const { source: _, ...details } = diag ?? {}
  const text = Object.keys(details).length === 0 ? '' : dump(details, { lineWidth: -1, skipInvalid: true })
  return `  not ok: ${where}\n${text.replace(/^(?=.)/gm, '    ')}`.trimEnd()
}
