import { bunEngine } from './bun.ts'
import type { LineExchange } from './line-answer.ts'

/** Asks; undefined = nobody is there, or no whole answer came in time. */
export async function exchangeLine(wish: LineExchange): Promise<string | undefined> {
  const bun = bunEngine()
  if (bun === undefined) return (await import('./line-exchange-node.ts')).exchangeWithNode(wish)
  return (await import('./line-exchange-bun.ts')).exchangeWithBun(bun, wish)
}
