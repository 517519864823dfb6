import * as v from 'valibot'
import { readReply } from './answers.ts'
import { NetmakerError } from './errors.ts'
import type { Call, Exchange, Reply } from './exchange.ts'

export interface SessionOptions {
  readonly exchange: Exchange
  readonly username: string
  /** As it is now: asked for at each login. */
  readonly password: () => Promise<string>
}

/** Calls by one user. */
export interface Session {
  /**
   * Sends a call with a login; after a 401 logs in once more, also for many calls at once, and sends it again.
   * @throws NetmakerError
   */
  send(call: Call, signal: AbortSignal): Promise<Reply>
  /** What must not be told to anybody. */
  secrets(): readonly string[]
}

const loginPath = '/api/users/adm/authenticate'
const isHeaderWord = /^[\x21-\x7e]+$/
const loginShape = v.object({
  Response: v.object({ AuthToken: v.optional(v.string()), pre_auth_token: v.optional(v.string()) }),
})

export function openSession(options: SessionOptions): Session {
  return new UserSession(options)
}

class UserSession implements Session {
  readonly #options: SessionOptions
  #token: string | undefined
  /** The last two: an answer may speak of the one that has just been replaced. */
  #tokens: readonly string[] = []
  #login: Promise<string> | undefined
  #password = ''

  constructor(options: SessionOptions) {
    this.#options = options
  }

  async send(call: Call, signal: AbortSignal): Promise<Reply> {
    const { exchange } = this.#options
    const token = this.#token ?? (await this.#logIn(signal))
    const reply = await exchange.send(call, token, signal)
    if (reply.status !== 401) return reply
    // Of many that were refused together the first one logs in for all.
    if (this.#token === token) this.#token = undefined
    const renewed = this.#token ?? (await this.#logIn(signal))
    const again = await exchange.send(call, renewed, signal)
    if (again.status !== 401) return again
    if (this.#token === renewed) this.#token = undefined
    const message = `[netmaker] username: ${call.method} ${call.path}: 401, with a login that was just accepted`
    throw new NetmakerError('TokenRefused', message, { status: 401, cause: refusalOf(call, again, this.secrets()) })
  }

  secrets(): readonly string[] {
    return [this.#password, ...this.#tokens]
  }

  #logIn(signal: AbortSignal): Promise<string> {
    this.#login ??= this.#askForToken(signal).finally(() => {
      this.#login = undefined
    })
    return this.#login
  }

  async #askForToken(signal: AbortSignal): Promise<string> {
    const { exchange, username, password } = this.#options
    this.#password = await password()
    const body = JSON.stringify({ username, password: this.#password })
    const call: Call = { method: 'POST', path: loginPath, body }
    const reply = await exchange.send(call, undefined, signal)
    const token = this.#tokenOf(call, reply)
    this.#token = token
    this.#tokens = [token, ...this.#tokens].slice(0, 2)
    return token
  }

  #tokenOf(call: Call, reply: Reply): string {
    const said = v.safeParse(loginShape, readLogin(call, reply, this.secrets()))
    const { AuthToken: token, pre_auth_token: half } = said.success ? said.output.Response : {}
    if (token && isHeaderWord.test(token)) return token
    if (half !== undefined) {
      const message = '[netmaker] username: the user has a second factor, so no program can log in as it'
      throw new NetmakerError('LoginRefused', message, { status: reply.status })
    }
    const without = token ? 'with a token that cannot be sent' : 'without a token'
    throw new NetmakerError('BadReply', `[netmaker] api-url: the login was accepted ${without}`, {
      status: reply.status,
    })
  }
}

/** What a refused login says does not tell why: a locked database answers as a wrong password does. */
function readLogin(call: Call, reply: Reply, secrets: readonly string[]): unknown {
  try {
    return readReply(call, reply, secrets)
  } catch (error) {
    if (!(error instanceof NetmakerError) || (error.code !== 'Refused' && error.code !== 'Forbidden')) throw error
    const message = `[netmaker] username, password: the login was refused: ${error.message}`
    throw new NetmakerError('LoginRefused', message, { status: reply.status })
  }
}

function refusalOf(call: Call, reply: Reply, secrets: readonly string[]): unknown {
  try {
    readReply(call, reply, secrets)
    return undefined
  } catch (error) {
    return error
  }
}
