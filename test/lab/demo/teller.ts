import type { Writable } from 'node:stream'

/** Tells a person what happens: a line per step with its time, details below it. */
export interface Teller {
  /** A line of its own. */
  say(text: string): void
  /** Does a step and says how it went; what it returns are the details to show. */
  step(title: string, work: () => Promise<readonly string[]>): Promise<void>
}

const codes = { green: '32', red: '31', dim: '2', bold: '1' } as const

/** A teller for a terminal (colours, the running step is shown) or for a file (neither). */
export function createTeller(out: Writable, terminal: boolean): Teller {
  const paint = (color: keyof typeof codes, text: string) =>
    terminal ? `\u001b[${codes[color]}m${text}\u001b[0m` : text
  return {
    say: text => out.write(`${text}\n`),
    async step(title, work) {
      const start = performance.now()
      if (terminal) out.write(`  … ${title}`)
      const end = (mark: string) => {
        const seconds = `${((performance.now() - start) / 1000).toFixed(1)} s`
        out.write(`${terminal ? '\r' : ''}  ${mark} ${title}  ${paint('dim', seconds)}\n`)
      }
      try {
        const details = await work()
        end(paint('green', '✓'))
        for (const line of details) out.write(`      ${paint('dim', line)}\n`)
      } catch (error) {
        end(paint('red', '✗'))
        throw error
      }
    },
  }
}
