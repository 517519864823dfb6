import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { sandboxPaths } from '../../../../agent/sandbox/paths.ts'
import { readRecords } from '../../../../agent/sandbox/record.ts'
import type { SandboxOptions } from '../../../../agent/sandbox/sandbox.ts'
import type { PluginCall, PluginRunner } from '../../../../cni/spec/plugin.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'

const nopal = [process.execPath, join(import.meta.dirname, '../../../../agent/main.ts')]
const conf = { cniVersion: '1.0.0', name: 'net', plugins: [{ type: 'bridge' }] }

/** A node whose plugins do nothing but tell of their calls. */
export interface Bed {
  readonly options: SandboxOptions
  readonly calls: readonly string[]
  readonly log: ReturnType<typeof createRecordingLogger>
  records(): Promise<number>
}

/** What is different on a node. */
export interface BedOptions {
  /** Stands in for the real `unshare`, which needs root; undefined = there is none. */
  readonly unshare?: string
  readonly self?: readonly string[]
  readonly conf?: unknown
  readonly answer?: (call: PluginCall) => void
}

/** Only the namespace is missing: the program runs in ours. */
const sameNamespace = '#!/bin/sh\nshift 2\nexec "$@"\n'

export async function makeBed(t: Test, given: BedOptions = {}): Promise<Bed> {
  const root = t.testdir({
    bin: {},
    'net.d': given.conf === null ? {} : { '10.conflist': JSON.stringify(given.conf ?? conf) },
  })
  const { unshare = sameNamespace, self = nopal } = given
  if (unshare !== '') {
    await writeFile(join(root, 'bin/unshare'), unshare)
    await chmod(join(root, 'bin/unshare'), 0o755)
  }
  const paths = {
    ...sandboxPaths({ hostRoot: '', cniBinDir: '/opt/cni/bin', cniConfDir: join(root, 'net.d') }),
    recordFolder: join(root, 'records'),
    lockFolder: join(root, 'records/locks'),
  }
  const calls: string[] = []
  const runner: PluginRunner = {
    find: async type => type,
    async run(call) {
      if (call.type === 'loopback') return undefined
      const kept = (await readRecords(paths.recordFolder)).length
      const netns = call.variables.CNI_NETNS?.replace(/\d+/, 'PID').replace(/\d+$/, 'FD')
      calls.push(`${call.command} ${call.type} ${netns}, ${kept} on record`)
      given.answer?.(call)
      return call.command === 'ADD' ? { cniVersion: '1.0.0', ips: [{ address: '10.1.0.2/24' }] } : undefined
    },
  }
  const log = createRecordingLogger()
  const path = unshare === '' ? join(root, 'bin') : `${join(root, 'bin')}:/usr/bin:/bin`
  return {
    options: { paths, log, runner, limitMs: 600_000, program: { self, env: { PATH: path } } },
    calls,
    log,
    records: async () => (await readRecords(paths.recordFolder)).length,
  }
}
