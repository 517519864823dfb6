#!/usr/bin/env node
import './runtime/interpret-only.ts'
import { hostname } from 'node:os'
import { kactusBinary, version } from './build-info.ts'
import { exitCodes } from './commands/process.ts'
import { describeFault, run } from './commands/run.ts'

const ended = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ended.abort())

// Also for promises that nobody waits for: what nobody foresaw is told once and ends the process.
process.on('uncaughtException', error => {
  process.stderr.write(`nopal: ${describeFault(error)}\n`)
  process.exit(exitCodes.failed)
})

void run({
  args: process.argv.slice(2),
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: () => process.stdin,
  self: [process.execPath, ...process.execArgv, ...process.argv.slice(1, 2)],
  hostname: hostname(),
  version,
  kactusBinary,
  ended: ended.signal,
}).then(code => {
  // Kept connections would hold the process for a minute.
  process.exit(code)
})
