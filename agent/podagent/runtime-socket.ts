import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { promisify } from 'node:util'
import * as v from 'valibot'
import { messageOf } from '../../cni/host/system-error.ts'
import { PodagentError } from './errors.ts'
import type { SandboxRuntime } from './sandbox.ts'

/** Where container runtimes listen when nobody has told them otherwise. */
const usual = ['/run/containerd/containerd.sock', '/run/crio/crio.sock', '/run/k3s/containerd/containerd.sock']

const mostAnswerBytes = 16 * 2 ** 20
const readyShape = v.nullable(v.object({ containerId: v.string(), netns: v.string() }))
const sandboxesShape = v.array(v.object({ containerId: v.string(), podUid: v.string() }))

export interface RuntimeOptions {
  /** Path on the host; empty = where runtimes listen. */
  readonly told: string
  /** A path of the host as this process sees it. */
  readonly here: (path: string) => string
  /** argv of this program. */
  readonly self: readonly string[]
}

/**
 * The node's container runtime, looked for each time it is asked. A process of its own asks it (`nopal cri`): HTTP/2, once
 * loaded, would take 5 MB of the agent for good, which asks some times an hour.
 */
export function findRuntime({ told, here, self }: RuntimeOptions): SandboxRuntime {
  const ask = async (signal: AbortSignal, ...question: readonly string[]): Promise<unknown> => {
    const socket = (told === '' ? usual : [told]).map(here).find(isSocket)
    return socket === undefined ? undefined : run([...self, 'cri', `--socket=${socket}`, ...question], signal)
  }
  return {
    async readySandbox(podUid, signal) {
      const answer = await ask(signal, `--pod=${podUid}`)
      return (answer === undefined ? undefined : v.parse(readyShape, answer)) ?? undefined
    },
    async sandboxes(signal) {
      const answer = await ask(signal)
      return answer === undefined ? undefined : v.parse(sandboxesShape, answer)
    },
  }
}

/** @throws PodagentError NoRuntime, or the signal's reason */
async function run([program = '', ...args]: readonly string[], signal: AbortSignal): Promise<unknown> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { env: {}, maxBuffer: mostAnswerBytes, signal })
    return JSON.parse(stdout)
  } catch (error) {
    signal.throwIfAborted()
    throw new PodagentError('NoRuntime', saidBy(error) || messageOf(error), error)
  }
}

/** The words of a program that failed. */
function saidBy(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
  return said.trim().replace(/^nopal: /, '')
}

function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() === true
}
