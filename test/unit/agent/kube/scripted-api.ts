import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { serve } from './test-server.ts'

/** One request for a list or a watch, as the server saw it. */
export interface SeenRequest {
  readonly kind: 'list' | 'watch'
  readonly resourceVersion: string | undefined
  readonly query: URLSearchParams
}

/** What the server does with one request. */
export type Script = (response: ServerResponse, request: IncomingMessage) => void

/** A server that answers each list and each watch by the next script of its kind; the last one stays. */
export interface ScriptedApi {
  readonly url: string
  readonly seen: readonly SeenRequest[]
}

export async function startScriptedApi(
  t: Test,
  scripts: { readonly lists: readonly Script[]; readonly watches: readonly Script[] },
): Promise<ScriptedApi> {
  const seen: SeenRequest[] = []
  const url = await serve(t, (request, response) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams
    const kind = query.has('watch') ? 'watch' : 'list'
    const turn = seen.filter(each => each.kind === kind).length
    seen.push({ kind, resourceVersion: query.get('resourceVersion') ?? undefined, query })
    const row = kind === 'list' ? scripts.lists : scripts.watches
    row[Math.min(turn, row.length - 1)]?.(response, request)
  })
  return { url, seen }
}

/** An object whose only content is a number. */
export function item(name: string, resourceVersion: string, value: number) {
  return { metadata: { name, resourceVersion }, value }
}

type Item = ReturnType<typeof item>

/** A list with one page. */
export const list =
  (resourceVersion: string, ...items: readonly Item[]): Script =>
  response => {
    response.end(JSON.stringify({ metadata: { resourceVersion }, items }))
  }

/** An answer with a status and nothing of use. */
export const refuse =
  (status: number): Script =>
  response => {
    response.writeHead(status)
    response.end('{}')
  }

/** A line of a watch. */
export function event(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: Item): string {
  return `${JSON.stringify({ type, object })}\n`
}

export function bookmark(resourceVersion: string): string {
  return `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion } } })}\n`
}

export function errorLine(code: number): string {
  return `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code, message: 'because' } })}\n`
}

/** Sends the text and then ends in order, hangs up, or says nothing more. */
export const stream =
  (text: string, then: 'end' | 'cut' | 'silence'): Script =>
  response => {
    response.writeHead(200)
    response.write(text === '' ? '\n' : text, () => {
      if (then === 'end') response.end()
      if (then === 'cut') response.destroy()
    })
  }
