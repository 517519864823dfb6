import { unmark } from '../gate/unmark.ts'
import { createEventRecorder } from '../kube/events.ts'
import { effectCondition } from '../netmaker/effect-duty.ts'
import { type Removal, remove } from '../removal/remove.ts'
import { systemClock } from '../runtime/clock.ts'
import { type ExitCode, exitCodes, type ProcessPorts } from '../runtime/process.ts'
import { connect, findCredentials, start } from './start.ts'
import { type Flags, UsageError } from './usage.ts'

const usualSeconds = '180'

/**
 * `nopal uninstall-all`: what the chart's hook runs before the objects of nopal are deleted. Well even where nodes are left:
 * who takes nopal away is not to be kept from it by a machine that is gone.
 */
export async function runUninstallAll(ports: ProcessPorts, flags: Flags): Promise<ExitCode> {
  const { settings, log } = start(ports, { nodeNameOptional: true, output: ports.stderr })
  const withinMs = readSeconds(flags.within ?? usualSeconds) * 1_000
  const kube = connect(ports, await findCredentials(settings))
  const { podNamespace: namespace, nodeName: instance, gate, leader } = settings
  const events = createEventRecorder({ api: kube, clock: systemClock, log, instance })
  const each = { api: kube, events, settings: gate, conditions: [effectCondition], signal: ports.ended }
  try {
    const removal = await remove({
      api: kube,
      namespace,
      withinMs,
      clock: systemClock,
      leases: ['nopal-gate', 'nopal-heal', leader.lease],
      unmark: node => unmark({ ...each, node }),
      signal: ports.ended,
    })
    ports.stdout.write(describe(removal))
    return exitCodes.well
  } finally {
    kube.close()
  }
}

function readSeconds(text: string | boolean): number {
  if (typeof text !== 'string' || !/^\d{1,5}$/.test(text)) throw new UsageError('--within is a number of seconds')
  return Number(text)
}

function describe({ done, left, notes }: Removal): string {
  const lines = [
    `nopal is off ${done.length} nodes: ${done.join(', ') || 'none'}`,
    ...notes,
    ...left.map(({ node, why }) => `LEFT ${node}: ${why}`),
    ...(left.length === 0 ? [] : ['what to do about nodes that are left: README, Troubleshooting, "LEFT"']),
  ]
  return lines.map(line => `${line}\n`).join('')
}
