import type { CountOrShare } from '../config/settings.ts'

/** How many of so many a limit allows. One always: in a small cluster a share of it is none. */
export function mostOf(total: number, limit: CountOrShare): number {
  // 0.07 * 100 is a little above 7: without the rounding some shares would come out wrong.
  const most = 'nodes' in limit ? limit.nodes : Number((limit.share * total).toFixed(6))
  return Math.max(1, Math.floor(most))
}
