import { KubeError } from './api.ts'

/** Longer than any object: a server that sends more is not one to keep in memory. */
const longestPiece = 8 * 2 ** 20

const beginsItems = /[{,]\s*"items"\s*:\s*\[$/

/**
 * Takes a list apart while its text comes, so that what is held is one object and never the page: that is megabytes of
 * text, and many times as much once it is parsed.
 */
export class ItemReader {
  readonly #onItem: (item: unknown) => void
  readonly #quoteOrBracket = /["{}[\]]/g
  readonly #quoteOrEscape = /["\\]/g
  /** The list's own text, without its objects. */
  #frame = ''
  /** An object of which the end is still to come. */
  #item = ''
  /** What stands before the next object, or before the end of all. */
  #gap = ''
  #between: '' | ',' = ''
  /** Open brackets: two are around an object of the list. */
  #depth = 0
  #inItems = false
  #inText = false
  /** The last chunk ended with a backslash. */
  #escaped = false
  /** Up to where the chunk has been taken. */
  #taken = 0

  /** @param onItem hears of each object; what it throws ends the reading */
  constructor(onItem: (item: unknown) => void) {
    this.#onItem = onItem
  }

  /** @throws KubeError BadReply */
  push(chunk: string): void {
    let at = this.#escaped ? 1 : 0
    this.#escaped = false
    this.#taken = 0
    for (at = this.#nextMark(chunk, at); at > 0; at = this.#nextMark(chunk, at)) {
      const mark = chunk.charAt(at - 1)
      if (mark === '"') this.#inText = !this.#inText
      else if (mark === '\\') this.#escaped = ++at > chunk.length
      else if (mark === '{' || mark === '[') this.#open(chunk, at)
      else this.#close(chunk, at)
    }
    this.#take(chunk, chunk.length)
    if (this.#frame.length + this.#item.length + this.#gap.length > longestPiece)
      throw new KubeError('BadReply', 'an object is too long')
  }

  /**
   * The list without its objects, once all of it has come.
   * @throws KubeError BadReply
   */
  end(): unknown {
    return parse(this.#frame)
  }

  /** @returns where the next character that means something ends; 0 = there is none */
  #nextMark(chunk: string, from: number): number {
    const pattern = this.#inText ? this.#quoteOrEscape : this.#quoteOrBracket
    pattern.lastIndex = from
    return pattern.test(chunk) ? pattern.lastIndex : 0
  }

  #open(chunk: string, at: number): void {
    if (this.#inItems && this.#depth === 2) {
      this.#take(chunk, at - 1)
      this.#endGap(this.#between)
      this.#between = ','
    } else if (this.#depth === 1) {
      this.#take(chunk, at)
      this.#inItems = beginsItems.test(this.#frame.slice(-100))
      this.#between = ''
    }
    this.#depth += 1
  }

  #close(chunk: string, at: number): void {
    if (this.#inItems && this.#depth === 3) {
      this.#take(chunk, at)
      const item = parse(this.#item)
      this.#item = ''
      this.#onItem(item)
    } else if (this.#inItems && this.#depth === 2) {
      this.#take(chunk, at - 1)
      this.#endGap('')
      this.#inItems = false
    }
    this.#depth -= 1
  }

  /** Adds the text up to there to what it is a part of. */
  #take(chunk: string, end: number): void {
    const text = chunk.slice(this.#taken, end)
    this.#taken = end
    if (!this.#inItems) this.#frame += text
    else if (this.#depth > 2) this.#item += text
    else this.#gap += text
  }

  #endGap(wanted: string): void {
    if (this.#gap.trim() !== wanted) throw new KubeError('BadReply', 'the list holds something that is no object')
    this.#gap = ''
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new KubeError('BadReply', 'the answer is not JSON')
  }
}
