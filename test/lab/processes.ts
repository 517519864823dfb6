import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { LabNode } from './node.ts'

/** A process that sees a node's files. */
interface NodeProcess {
  /** Its words, with spaces between. */
  readonly command: string
  /** The same of the one that started it. */
  readonly starter: string
  /** Which network namespace it is in. */
  readonly netns: string
}

/** What runs on a node, without a process of our own for each of this machine's. */
export function processesOn(node: LabNode): readonly NodeProcess[] {
  const files = linkOf(node.pid, 'ns/mnt')
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && linkOf(name, 'ns/mnt') === files)
    .map(pid => ({ command: commandOf(pid), starter: commandOf(parentOf(pid)), netns: linkOf(pid, 'ns/net') }))
    .filter(({ command }) => command !== '')
}

/** Whether it is in a network that is not the node's. */
export function isElsewhere({ netns }: NodeProcess, node: LabNode): boolean {
  return netns !== '' && netns !== linkOf(node.pid, 'ns/net')
}

function parentOf(pid: string): string {
  return /^PPid:\s+(\d+)$/m.exec(textOf(pid, 'status'))?.[1] ?? ''
}

function commandOf(pid: string): string {
  return textOf(pid, 'cmdline').split('\0').join(' ').trim()
}

/** Empty for one that has ended. */
function textOf(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

function linkOf(pid: string | number, file: string): string {
  try {
    return readlinkSync(`/proc/${pid}/${file}`)
  } catch {
    return ''
  }
}
