import { messageOf } from '../../cni/host/system-error.ts'
import type { Settings } from '../config/settings.ts'
import { KubeError } from '../kube/api.ts'
import type { KubeClient } from '../kube/client.ts'
import { CredentialsError } from '../kube/credentials.ts'
import { pause, systemClock } from '../runtime/clock.ts'
import { clearScreen } from '../runtime/plain-text.ts'
import { type ExitCode, exitCodes, type ProcessPorts } from '../runtime/process.ts'
import { listMesh } from '../wireguard/list-mesh.ts'
import { createMeshMap, type MeshMap } from '../wireguard/mesh-map.ts'
import { openNodeObserver } from '../wireguard/node-observer.ts'
import type { Observation } from '../wireguard/observe.ts'
import { formatDevicesJson, formatDevicesText, isBad } from '../wireguard/present.ts'
import { connect, findCredentials, start } from './start.ts'
import { type Flags, readOutput } from './usage.ts'

const watchMs = 1_000

/** `nopal wg`: the peers of this node's WireGuard devices, classified by what the nodes publish of themselves. */
export async function runWg(ports: ProcessPorts, flags: Flags): Promise<ExitCode> {
  const show = createShow(ports, flags)
  const { settings } = start(ports, { nodeNameOptional: true, output: ports.stderr })
  const kube = await findCluster(ports, settings)
  const observer = await openNodeObserver({
    hostRoot: settings.install.hostRoot,
    interfaces: settings.wireguard.interfaces,
    clock: systemClock,
    waits: false,
    onNoRoutes: error => say(ports, `routes cannot be asked for, so no nested endpoint is seen: ${messageOf(error)}`),
  })
  try {
    for (;;) {
      const mesh = await readMesh(ports, settings, kube)
      const seen = await observer.observe(mesh.map)
      show(settings.nodeName, seen)
      if (flags.watch === true) await pause(systemClock, watchMs, ports.ended)
      if (flags.watch !== true || ports.ended.aborted) return exitOf(seen, mesh)
    }
  } finally {
    observer.close()
    kube?.close()
  }
}

/** Prints one look; on a terminal that is watched it takes the place of the one before. */
function createShow({ stdout, stderr }: ProcessPorts, flags: Flags): (node: string, seen: Observation) => void {
  const output = readOutput(flags)
  const clear = flags.watch === true && stdout.isTTY === true ? clearScreen : ''
  const said = new Set<string>()
  return (node, { devices, unlisted }) => {
    stdout.write(output === 'json' ? formatDevicesJson(node, devices) : clear + formatDevicesText(devices))
    for (const { message } of unlisted) {
      if (!said.has(message)) stderr.write(`nopal: devices of the kernel are not shown: ${message}\n`)
      said.add(message)
    }
  }
}

function say(ports: ProcessPorts, message: string): void {
  ports.stderr.write(`nopal: ${message}\n`)
}

/** What others publish, and whether it could be found out. */
interface KnownMesh {
  readonly map: MeshMap
  readonly known: boolean
}

/** Devices are shown without a cluster too: but whose the peers are, and where pods are, nobody knows then. */
async function findCluster(ports: ProcessPorts, settings: Settings): Promise<KubeClient | undefined> {
  try {
    return connect(ports, await findCredentials(settings))
  } catch (error) {
    if (!(error instanceof CredentialsError)) throw error
    say(ports, `${error.message}: peers are not classified`)
    return undefined
  }
}

async function readMesh(ports: ProcessPorts, settings: Settings, kube: KubeClient | undefined): Promise<KnownMesh> {
  const { nodeName: self, apiService } = settings
  const unknown = { map: createMeshMap({ self, networks: [], serviceCIDRs: [], ownAddresses: [] }), known: false }
  if (kube === undefined) return unknown
  try {
    const { map } = await listMesh(kube, { self, apiHost: apiService?.host }, ports.ended)
    return { map, known: true }
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    say(ports, `${error.message}: peers are not classified`)
    return unknown
  }
}

function exitOf({ devices, unlisted }: Observation, { map, known }: KnownMesh): ExitCode {
  if (devices.some(device => device.peers.some(isBad))) return exitCodes.notWell
  if (!known || unlisted.length > 0 || devices.some(device => !device.readable)) return exitCodes.failed
  const published = map.others.some(node => node.publicKeys.length > 0)
  return devices.length === 0 && published ? exitCodes.notWell : exitCodes.well
}
