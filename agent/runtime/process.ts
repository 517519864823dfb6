export type Environment = Readonly<Record<string, string | undefined>>

/** Everything a command has of its process. Only main.ts looks at the real one. */
export interface ProcessPorts {
  readonly args: readonly string[]
  readonly env: Environment
  readonly stdout: TextOutput
  readonly stderr: TextOutput
  /** Only the program in a sandbox reads it. */
  readonly stdin: () => NodeJS.ReadableStream
  /** argv that starts this program once more. */
  readonly self: readonly string[]
  readonly hostname: string
  readonly version: string
  /** The kactus executable that came with this program. */
  readonly kactusBinary: string
  /** Fires when the process is asked to end. */
  readonly ended: AbortSignal
}

/** The part of a standard stream that commands need. */
export interface TextOutput {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** What `nopal` exits with. */
export const exitCodes = {
  well: 0,
  /** Done, and what was asked about is not well. */
  notWell: 1,
  /** Wrong settings or usage. */
  usage: 2,
  /** Could not find out. */
  failed: 3,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
