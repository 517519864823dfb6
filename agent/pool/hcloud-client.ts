import * as v from 'valibot'
import { codeOf } from '../kube/failures.ts'
import { backoffMs } from '../runtime/backoff.ts'
import { type Clock, pause } from '../runtime/clock.ts'
import { HcloudError, isPassing } from './hcloud-error.ts'
import { createRateBudget, type RateBudget } from './rate-budget.ts'

/** GET of Hetzner Cloud's API. */
export interface HcloudClient {
  /**
   * @param query path and parameters below the endpoint, escaped
   * @throws HcloudError; its text never has the token
   */
  get(query: string, token: string, signal: AbortSignal): Promise<unknown>
  readonly budget: Pick<RateBudget, 'waitMs'>
}

export interface HcloudClientOptions {
  /** `https://api.hetzner.cloud/v1` */
  readonly endpoint: string
  readonly userAgent: string
  readonly clock: Clock
  /** 0 to 1; spreads waits. */
  readonly random: () => number
  /** Told of every answer: its HTTP status, or the code of the error where there was none. */
  readonly onAnswer: (code: string) => void
  readonly onRemaining: (remaining: number) => void
}

const timeoutMs = 15_000
/** More than ten times a page of 50 servers; what is read of it takes many times as much memory. */
const longestBody = 2 * 2 ** 20
const tries = 3
const backoff = { leastMs: 1_000, mostMs: 8_000 }
const longestMessage = 300

export function createHcloudClient(options: HcloudClientOptions): HcloudClient {
  const budget = createRateBudget(options.clock, options.onRemaining)
  const ask = new Asker(options, budget)
  return {
    budget,
    async get(query, token, signal) {
      for (let failed = 1; ; failed += 1) {
        try {
          return await ask.once(query, checkToken(token), signal)
        } catch (error) {
          if (!(error instanceof HcloudError) || !error.passing || failed === tries) throw error
          await pause(options.clock, backoffMs(failed, backoff, options.random), signal)
          signal.throwIfAborted()
        }
      }
    },
  }
}

/** What fetch says of a header that it cannot send has the header in it. */
function checkToken(token: string): string {
  if (token === '') throw new HcloudError('no_token', 'there is no token for Hetzner Cloud')
  if (!/^[\x21-\x7e]+$/.test(token)) throw new HcloudError('no_token', 'the token has characters that no token has')
  return token
}

class Asker {
  readonly #options: HcloudClientOptions
  readonly #budget: RateBudget

  constructor(options: HcloudClientOptions, budget: RateBudget) {
    this.#options = options
    this.#budget = budget
  }

  async once(query: string, token: string, signal: AbortSignal): Promise<unknown> {
    const limit = AbortSignal.timeout(timeoutMs)
    try {
      const response = await fetch(`${this.#options.endpoint}${query}`, {
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          'user-agent': this.#options.userAgent,
        },
        // A token is for the endpoint alone.
        redirect: 'manual',
        signal: AbortSignal.any([signal, limit]),
      })
      this.#options.onAnswer(String(response.status))
      this.#budget.learn(response.headers)
      const text = await readText(response)
      if (response.status === 200) return parseJson(text, response)
      throw this.#toError(response, text, token)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof HcloudError) throw error
      const code = limit.aborted ? 'timed_out' : 'unreachable'
      this.#options.onAnswer(code)
      const why = limit.aborted ? `no answer within ${timeoutMs} ms` : `no connection (${codeOf(causeOf(error))})`
      const asked = `Hetzner Cloud at ${this.#options.endpoint} ([pool] hcloud-endpoint)`
      throw new HcloudError(code, `${asked}: ${why}`, { passing: true, cause: error })
    }
  }

  #toError(response: Response, text: string, token: string): HcloudError {
    const { status, headers } = response
    const { code, message } = readApiError(text) ?? { code: 'bad_answer', message: describeBody(response) }
    const said = message.replaceAll(token, '[secret]').slice(0, longestMessage)
    const correlation = headers.get('x-correlation-id')
    const suffix = correlation === null ? '' : `, correlation id ${correlation.slice(0, 100)}`
    const refused = status === 429 || code === 'rate_limit_exceeded'
    return new HcloudError(
      refused ? 'rate_limit_exceeded' : code,
      `Hetzner Cloud: ${status} ${code}: ${said}${suffix}`,
      {
        passing: !refused && isPassing(code, status),
        retryAfterMs: refused ? this.#budget.refusedMs() : undefined,
      },
    )
  }
}

const errorShape = v.object({ error: v.object({ code: v.string(), message: v.optional(v.string(), '') }) })

function readApiError(text: string): { readonly code: string; readonly message: string } | undefined {
  try {
    const result = v.safeParse(errorShape, JSON.parse(text))
    return result.success ? result.output.error : undefined
  } catch {
    return undefined
  }
}

function parseJson(text: string, response: Response): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new HcloudError('bad_answer', `Hetzner Cloud: ${describeBody(response)}`)
  }
}

function describeBody({ headers }: Response): string {
  return `the answer is not one of the API (${headers.get('content-type')?.slice(0, 50) ?? 'no content type'})`
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > longestBody)
      throw new HcloudError('bad_answer', `Hetzner Cloud: the answer is larger than ${longestBody} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error
}
