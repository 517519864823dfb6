import { spawn } from 'node:child_process'
import { CodedError } from '../../cni/host/coded-error.ts'

/** The packet filter refused our table, or there is no program to make it. */
class FilterFault extends CodedError<'NoProgram' | 'Refused' | 'TimedOut'> {
  override readonly name = 'FilterFault'
}

const limitMs = 10_000
const longestWords = 300

/**
 * Carries out commands of the packet filter, all or none.
 * @throws FilterFault
 */
export function runNft(commands: readonly string[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // Not by stdin: nft opens it by name, and what Node gives it is a socket, which cannot be opened. It joins its arguments.
  const child = spawn(
    'nft',
    commands.map(command => `${command}\n`),
    { stdio: ['ignore', 'ignore', 'pipe'], timeout: limitMs },
  )
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < longestWords) said += text
  })
  child.on('error', error => reject(new FilterFault('NoProgram', 'nft cannot be run: is nftables installed?', error)))
  child.on('close', (code, signal) => {
    if (code === 0) resolve()
    else if (signal !== null) reject(new FilterFault('TimedOut', `nft did not end within ${limitMs} ms`))
    else reject(new FilterFault('Refused', `nft ends with ${code}: ${said.slice(0, longestWords).trim()}`))
  })
  return promise
}
