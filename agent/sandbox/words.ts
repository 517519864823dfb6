import type { AttachTo } from '../../cni/spec/chain.ts'
import { oneLine } from '../runtime/plain-text.ts'

const longest = 500
/** Names and times that plugins make up for each attempt. */
const passing = /\bveth[0-9a-f]{6,}\b|\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?/g

/**
 * What plugins said, as one line that is the same for the same fault: what differs only because each sandbox is another
 * one would be a new condition of the node with each try.
 */
export function steadyWords(text: string, { containerId, netns }: Pick<AttachTo, 'containerId' | 'netns'>): string {
  const named = [containerId, netns]
    .filter(each => each !== '')
    .reduce((said, own) => said.replaceAll(own, '...'), text)
  const line = oneLine(named.replace(passing, '...').replace(/\s+/g, ' ').trim())
  return line.length > longest ? `${line.slice(0, longest)}...` : line
}
