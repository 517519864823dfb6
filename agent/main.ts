#!/usr/bin/env node
import { hostname } from 'node:os'
import { kactusBinary, version } from './build-info.ts'
import { describeFault } from './runtime/error-fields.ts'
import { interpretOnly } from './runtime/memory.ts'
import { nodeFault } from './runtime/node-version.ts'
import { plainText } from './runtime/plain-text.ts'
import { exitCodes } from './runtime/process.ts'

// An older one fails somewhere in the middle, for want of a function.
const tooOld = nodeFault(process.versions.node)
if (tooOld !== undefined) {
  process.stderr.write(`nopal: ${tooOld}\n`)
  process.exit(exitCodes.failed)
}

const args = process.argv.slice(2)
// Before anything else is loaded: it holds only for code that has not run yet.
if (args[0] === 'agent') interpretOnly()

const ended = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ended.abort())
// Whoever read it has heard enough, as `head` has. Thrown from a callback of a native library it would abort the process.
process.stdout.on('error', () => ended.abort())

// Also for promises that nobody waits for: what nobody foresaw is told once and ends the process.
process.on('uncaughtException', error => {
  process.stderr.write(plainText(`nopal: ${describeFault(error)}\n`))
  process.exit(exitCodes.failed)
})

void import('./commands/run.ts')
  .then(({ run }) =>
    run({
      args,
      env: process.env,
      stdout: process.stdout,
      stderr: process.stderr,
      stdin: () => process.stdin,
      self: [process.execPath, ...process.execArgv, ...process.argv.slice(1, 2)],
      hostname: hostname(),
      version,
      kactusBinary,
      ended: ended.signal,
    }),
  )
  .then(code => {
    // Kept connections would hold the process for a minute.
    process.exit(code)
  })
