import { oneLine } from '../runtime/plain-text.ts'

/** One thing that is wrong with the settings. */
export interface SettingFault {
  /** As the user wrote it: an environment name, or `[section] key`. Of what nobody wrote, the environment name. */
  readonly name: string
  readonly fault: string
  readonly value: string | undefined
}

/** The settings cannot be used; carries everything that is wrong with them. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly code = 'BadSettings'
  readonly faults: readonly SettingFault[]

  constructor(faults: readonly SettingFault[]) {
    super(faults.map(renderFault).join('\n'))
    this.faults = faults
  }
}

const longestValue = 200

/** `nopal: setting NAME: fault (value)`, always one line, never with a secret. */
function renderFault({ name, fault, value }: SettingFault): string {
  const line = `nopal: setting ${short(name)}: ${fault}`
  if (value === undefined) return line
  return `${line} (${isSecret(name) || holdsSecret.test(value) ? 'hidden' : short(value)})`
}

/** A URL with a user name, and a password with it; one with a query, in which tokens are. */
const holdsSecret = /\/\/([^/]*@|.*[?#])/

/** Judged by the name, so that a secret under a mistyped name stays hidden too. */
function isSecret(name: string): boolean {
  return /passw|token|secret|credential|private/i.test(name)
}

function short(text: string): string {
  return oneLine(text.length > longestValue ? `${text.slice(0, longestValue)}...` : text)
}
