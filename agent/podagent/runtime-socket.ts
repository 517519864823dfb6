import { statSync } from 'node:fs'
import type { SandboxRuntime } from './sandbox.ts'

/** Where container runtimes listen when nobody has told them otherwise. */
const usual = ['/run/containerd/containerd.sock', '/run/crio/crio.sock', '/run/k3s/containerd/containerd.sock']

/**
 * The node's container runtime, looked for each time it is asked, and loaded then: most nodes never need it.
 * @param told path on the host; empty = where runtimes listen
 * @param here a path of the host as this process sees it
 */
export function findRuntime(told: string, here: (path: string) => string): SandboxRuntime {
  const open = async () => {
    const socket = (told === '' ? usual : [told]).map(here).find(isSocket)
    if (socket === undefined) return undefined
    const { createCri } = await import('./cri.ts')
    return createCri(socket)
  }
  return {
    readySandbox: async (podUid, signal) => (await open())?.readySandbox(podUid, signal),
    sandboxes: async signal => (await open())?.sandboxes(signal),
  }
}

function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() === true
}
