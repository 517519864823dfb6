/** A value that one part of the process sets and others follow. */
export interface SharedValue<T> {
  current(): T
  /** Tells all who follow, in the order in which they began to, also where the value is the same. */
  set(value: T): void
  onChange(run: (value: T) => void): void
}

export function createSharedValue<T>(first: T): SharedValue<T> {
  const followers: ((value: T) => void)[] = []
  let current = first
  return {
    current: () => current,
    set(value) {
      current = value
      for (const run of followers) run(value)
    },
    onChange: run => void followers.push(run),
  }
}
