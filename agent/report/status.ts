/** Something to know, for people: a name and a sentence. */
export interface Fact {
  readonly name: string
  readonly text: string
}

/** How a thing is; the page colours by it. */
export type Tone = 'pass' | 'warn' | 'fail' | 'skip'

/** A table of the page. */
export interface StatusTable {
  readonly head: readonly string[]
  readonly rows: readonly (readonly (string | { readonly text: string; readonly tone: Tone })[])[]
}

/** One part of what a process says of itself, brought by the folder that knows it. */
export interface StatusSection {
  /** Its keys of `/status.json`. */
  json(): Readonly<Record<string, unknown>>
  facts(): readonly Fact[]
  table?(): StatusTable | undefined
  /** What keeps the process from being ready (`/readyz`). */
  missing?(): readonly string[]
  /** What is not well with that which it looks after (`/health`). */
  problems?(): readonly string[]
}

/** What a process knows right now: the document of `/status.json`. The sections add keys of their own. */
export interface StatusDocument {
  /** Whose status it is: the node's name, or `leader`. */
  readonly node: string
  readonly version: string
  readonly startTime: string
  readonly facts: readonly Fact[]
  readonly missing: readonly string[]
  readonly problems: readonly string[]
}

/** What a process says of itself. */
export interface Status {
  /** The duties add theirs as they start; they are shown in that order. */
  add(section: StatusSection): void
  document(): StatusDocument
  tables(): readonly StatusTable[]
}

/** @param nowMs the time of the start, since 1970 */
export function createStatus(subject: { readonly node: string; readonly version: string }, nowMs: number): Status {
  const sections: StatusSection[] = []
  const startTime = new Date(nowMs).toISOString()
  return {
    add: section => void sections.push(section),
    document: () => ({
      ...subject,
      startTime,
      ...Object.assign({}, ...sections.map(section => section.json())),
      facts: sections.flatMap(section => section.facts()),
      missing: sections.flatMap(section => section.missing?.() ?? []),
      problems: sections.flatMap(section => section.problems?.() ?? []),
    }),
    tables: () => sections.flatMap(section => section.table?.() ?? []),
  }
}
