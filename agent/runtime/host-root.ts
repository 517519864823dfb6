import { readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** A path of the host as this process sees it. */
export interface HostPath {
  readonly path: string
  /** Folders with the links that lead there, as this process sees them: when one changes, the path may be another. */
  readonly links: readonly string[]
}

/** As many as the kernel follows. */
const mostLinks = 40

/**
 * Finds a path of the host below the root that the host's files are mounted at. The host's links are followed as the host
 * follows them: one that begins with "/" leads to the host's root, not to ours.
 * @param root empty = this process sees the host's files as the host does
 * @throws the error ELOOP of node:fs where links lead in a circle
 */
export function findOnHost(root: string, path: string): HostPath {
  const links = new Set<string>()
  const rest = partsOf(path)
  const base = root === '' ? '/' : root
  let found: string[] = []
  let followed = 0
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === '..') {
      found.pop()
      continue
    }
    const folder = join(base, ...found)
    const target = linkAt(join(folder, part))
    if (target === undefined) {
      found.push(part)
      continue
    }
    links.add(folder)
    followed += 1
    if (followed > mostLinks) throw Object.assign(new Error(`${path}: too many links`), { code: 'ELOOP' })
    if (target.startsWith('/')) found = []
    rest.unshift(...partsOf(target))
  }
  return { path: join(base, ...found), links: [...links] }
}

/** The same, of whom only the path counts. */
export function onHost(root: string): (path: string) => string {
  return path => findOnHost(root, path).path
}

/** Follows links as the host does, of paths below the root as this process sees them. */
export function followLinks(root: string): (path: string) => string {
  return path => findOnHost(root, path.slice(root.length)).path
}

function partsOf(path: string): string[] {
  return path.split('/').filter(part => part !== '' && part !== '.')
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    // No link, or nothing at all: whoever opens the path is told so.
    return undefined
  }
}
