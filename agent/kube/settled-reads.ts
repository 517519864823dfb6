import type { KubeApi } from './api.ts'

/** Reads that cost nothing while a watch proves that the API is there. */
export interface SettledReads {
  readonly api: KubeApi
  /** Drops what is remembered. Returns whether any answer since the last time came from memory. */
  forget(): boolean
}

const mostRemembered = 20

/**
 * Remembers what reads returned. A node that is verified every few seconds must not ask the API the same questions
 * each time, times the number of nodes: while a watch is open, which only a server that answers and accepts our
 * credentials keeps open, a read that was answered before is answered again from memory.
 */
export function settleReads(api: KubeApi, live: () => boolean): SettledReads {
  const answers = new Map<string, unknown>()
  let fromMemory = false
  return {
    api: {
      server: api.server,
      async request(request) {
        if (request.method !== 'GET') return api.request(request)
        const key = `${request.path}?${new URLSearchParams(request.query ?? {})}`
        if (live() && answers.has(key)) {
          fromMemory = true
          return answers.get(key)
        }
        const answer = await api.request(request)
        if (answers.size < mostRemembered) answers.set(key, answer)
        return answer
      },
    },
    forget() {
      const used = fromMemory
      answers.clear()
      fromMemory = false
      return used
    },
  }
}
