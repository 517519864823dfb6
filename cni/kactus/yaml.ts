import { type Json, JsonError, type JsonObject, parseJson } from '../spec/json.ts'

/** The text is not of the plain YAML that kubeconfig files are written in. */
export class YamlError extends Error {
  override readonly name = 'YamlError'
  readonly code = 'BadYaml'
}

interface Line {
  readonly number: number
  readonly indent: number
  readonly text: string
}

/**
 * Reads the YAML of kubeconfig files: JSON, or block mappings and lists of plain, quoted and JSON values.
 * Anchors, tags, block text and several documents are refused, not guessed at.
 * @throws YamlError
 */
export function parseYaml(text: string): Json {
  if (/^\s*[{[]/.test(text)) return readJson(text, 1)
  const lines = text.split(/\r?\n/).map(toLine)
  const filled = lines.filter(line => line.text !== '')
  const cursor = new Cursor(filled[0]?.text === '---' ? filled.slice(1) : filled)
  const first = cursor.peek()
  if (first === undefined) return null
  const value = readBlock(cursor, first.indent)
  const rest = cursor.peek()
  if (rest !== undefined) throw fault(rest, 'is indented otherwise than the lines before it')
  return value
}

class Cursor {
  readonly #lines: Line[]
  #at = 0

  constructor(lines: Line[]) {
    this.#lines = lines
  }

  peek(): Line | undefined {
    return this.#lines[this.#at]
  }

  next(): void {
    this.#at++
  }

  /** What follows on the same line becomes a line of its own, further in. */
  replace(line: Line): void {
    this.#lines[this.#at] = line
  }
}

function toLine(raw: string, index: number): Line {
  const text = raw.trimEnd()
  const indent = text.length - text.trimStart().length
  const line = { number: index + 1, indent, text: text.trimStart() }
  if (text.slice(0, indent).includes('\t')) throw fault(line, 'is indented by a tab')
  return line.text.startsWith('#') ? { ...line, text: '' } : line
}

function readBlock(cursor: Cursor, indent: number): Json {
  const first = cursor.peek()
  if (first !== undefined && indent > MAX_INDENT) throw fault(first, 'is indented too far')
  return first !== undefined && isItem(first) ? readList(cursor, indent) : readMapping(cursor, indent)
}

const MAX_INDENT = 100

function readList(cursor: Cursor, indent: number): Json {
  const items: Json[] = []
  for (let line = cursor.peek(); line?.indent === indent && isItem(line); line = cursor.peek()) {
    const content = line.text.slice(1).trimStart()
    const inner = { ...line, indent: indent + line.text.length - content.length, text: content }
    if (content !== '' && (splitKey(content) !== undefined || isItem(inner))) {
      cursor.replace(inner)
      items.push(readBlock(cursor, inner.indent))
    } else {
      cursor.next()
      items.push(content === '' ? readNested(cursor, indent) : readScalar(inner))
    }
  }
  return items
}

function readMapping(cursor: Cursor, indent: number): JsonObject {
  const entries = new Map<string, Json>()
  for (let line = cursor.peek(); line?.indent === indent && !isItem(line); line = cursor.peek()) {
    const parts = splitKey(line.text)
    if (parts === undefined) throw fault(line, 'is no "key: value"')
    if (entries.has(parts.key)) throw fault(line, `has the key ${JSON.stringify(parts.key)} for the second time`)
    cursor.next()
    const isNested = parts.value === '' || parts.value.startsWith('#')
    entries.set(parts.key, isNested ? readNested(cursor, indent, true) : readScalar({ ...line, text: parts.value }))
  }
  return Object.fromEntries(entries)
}

/** The block below a key or dash. A list may stand at the indentation of its key. */
function readNested(cursor: Cursor, indent: number, isBelowKey = false): Json {
  const line = cursor.peek()
  if (line === undefined) return null
  const isInner = line.indent > indent || (isBelowKey && line.indent === indent && isItem(line))
  return isInner ? readBlock(cursor, line.indent) : null
}

function isItem(line: Line): boolean {
  return line.text === '-' || line.text.startsWith('- ')
}

function splitKey(text: string): { key: string; value: string } | undefined {
  const match = /^(?:"([^"\\]*)"|'([^']*)'|([^\s"'#&*!|>{}[\],%@`-][^:#]*?|-[^\s:#][^:#]*?))\s*:(?:\s+(.*))?$/.exec(
    text,
  )
  const key = match?.[1] ?? match?.[2] ?? match?.[3]
  return key === undefined ? undefined : { key, value: match?.[4] ?? '' }
}

function readScalar(line: Line): Json {
  const { text } = line
  if (/^[{["]/.test(text)) return readJson(text.replace(/\s+#[^"\]}]*$/, ''), line.number)
  if (text.startsWith("'")) {
    const match = /^'((?:[^']|'')*)'(?:\s+#.*)?$/.exec(text)
    if (match === null) throw fault(line, 'has a quote that does not end')
    return (match[1] ?? '').replaceAll("''", "'")
  }
  if (/^[&*!|>%@`]/.test(text)) throw fault(line, 'is of a kind that is not understood here')
  return plain(text.replace(/\s+#.*$/, ''))
}

function plain(text: string): Json {
  if (text === '~' || text === 'null') return null
  if (text === 'true' || text === 'false') return text === 'true'
  // Numbers stay text: nothing here is a number, and a token of digits must not lose any.
  return text
}

function readJson(text: string, line: number): Json {
  try {
    return parseJson(text)
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw new YamlError(`line ${line} is not understood`, { cause: error })
  }
}

/** Never the line itself: it may hold a token. */
function fault(line: Line, what: string): YamlError {
  return new YamlError(`line ${line.number} ${what}`)
}
