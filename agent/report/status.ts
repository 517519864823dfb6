/** Something to know, for people: a name and a sentence. */
export interface Fact {
  readonly name: string
  readonly text: string
}

/** One part of what a process says of itself, brought by the folder that knows it. */
export interface StatusSection {
  /** Its keys of `/status.json`. */
  json(): Readonly<Record<string, unknown>>
  facts(): readonly Fact[]
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
  /** Of this document, by the clock that all times in it are of. */
  readonly time: string
  readonly facts: readonly Fact[]
  readonly missing: readonly string[]
  readonly problems: readonly string[]
}

/** What a process says of itself. */
export interface Status {
  /** The duties add theirs as they start; they are shown in that order. */
  add(section: StatusSection): void
  document(): StatusDocument
}

/** @param now milliseconds since 1970; asked at once for the time of the start */
export function createStatus(subject: { readonly node: string; readonly version: string }, now: () => number): Status {
  const sections: StatusSection[] = []
  const startTime = new Date(now()).toISOString()
  return {
    add: section => void sections.push(section),
    document: () => ({
      ...subject,
      startTime,
      time: new Date(now()).toISOString(),
      ...Object.assign({}, ...sections.map(section => section.json())),
      facts: sections.flatMap(section => section.facts()),
      missing: sections.flatMap(section => section.missing?.() ?? []),
      problems: sections.flatMap(section => section.problems?.() ?? []),
    }),
  }
}
