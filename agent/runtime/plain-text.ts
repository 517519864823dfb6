import type { TextOutput } from './process.ts'

/** What begins a progress line. */
export const eraseLine = '\r\u001b[K'
/** What begins a text that takes the place of all before it. */
export const clearScreen = '\u001b[H\u001b[2J'
/** The only control sequences that this program writes. */
const ownSequences = [eraseLine, clearScreen]

/** What colours text, and what ends that; none of it moves anything or stays. */
const colours = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', blue: '34' } as const
const endColour = '\u001b[0m'
const colouring = new RegExp(`(\u001b\\[(?:0|${Object.values(colours).join('|')})m)`)

export type Colour = keyof typeof colours

/** Text in a colour, for a terminal alone. */
export function colour(name: Colour, text: string): string {
  return `\u001b[${colours[name]}m${text}${endColour}`
}

/** All that steers a terminal, turns the direction of text or breaks a line, but for the line feed. */
const steering = /\p{Cc}|\p{Zl}|\p{Zp}|[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu

/** Text of others as one line without control characters: they are shown as JSON would write them. */
export function oneLine(text: string): string {
  return text.replace(steering, shown)
}

/** Text of several lines without other control characters. A JSON document means the same afterwards. */
export function plainText(text: string): string {
  return text.replace(steering, char => (char === '\n' ? char : shown(char)))
}

/**
 * What others have said (the API, plugins, another process of ours) must not steer the terminal of whoever reads it, by
 * whatever way it comes to be written: so every output of this program is one of these.
 */
export function toPlainOutput(output: TextOutput): TextOutput {
  return {
    ...(output.isTTY === undefined ? {} : { isTTY: output.isTTY }),
    write(text) {
      const begin = ownSequences.find(each => text.startsWith(each)) ?? ''
      const rest = text.slice(begin.length)
      return output.write(begin + (output.isTTY === true ? colouredText(rest) : plainText(rest)))
    },
  }
}

/** Plain text but for colours: every second part is one. */
function colouredText(text: string): string {
  return text
    .split(colouring)
    .map((part, at) => (at % 2 === 0 ? plainText(part) : part))
    .join('')
}

function shown(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}
