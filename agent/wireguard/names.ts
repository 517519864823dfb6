const mostNamed = 5

/** A list for people: the first few, and how many more there are. */
export function nameSome(names: readonly string[]): string {
  const more = names.length - mostNamed
  return `${names.slice(0, mostNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
