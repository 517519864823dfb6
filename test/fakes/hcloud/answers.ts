export interface FakeAnswer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

export function json(status: number, body: unknown): FakeAnswer {
  return { status, type: 'application/json', body: JSON.stringify(body) }
}

/** An error as the API writes it. */
export function errorAnswer(status: number, code: string, message: string): FakeAnswer {
  return json(status, { error: { code, message, details: {} } })
}

/** What a proxy says. */
export const html: FakeAnswer = { status: 200, type: 'text/html', body: '<html><body>Please log in</body></html>' }
