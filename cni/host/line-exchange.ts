import { bunEngine } from './bun.ts'
import type { LineExchange } from './line-answer.ts'
import { exchangeWithBun } from './line-exchange-bun.ts'
import { exchangeWithNode } from './line-exchange-node.ts'

/** Asks; undefined = nobody is there, or no whole answer came in time. */
export function exchangeLine(wish: LineExchange): Promise<string | undefined> {
  const bun = bunEngine()
  return bun === undefined ? exchangeWithNode(wish) : exchangeWithBun(bun, wish)
}
