import type { Environment } from './request.ts'

/** The whole of the process: what comes in and what goes out. */
export interface CniProcess {
  readonly env: Environment
  /** Of this program. */
  readonly version: string
  /** @throws InputError */
  readStdin(): Promise<string>
  stdout(text: string): void
  stderr(text: string): void
}
