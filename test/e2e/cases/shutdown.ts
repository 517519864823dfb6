import { join } from 'node:path'
import type { Test } from 'tap'
import { until } from '../../machine/wait.ts'
import type { Bed, Case } from '../bed.ts'
import { addressesOf, confsOf, isThere, olderSandboxes, ownFiles, recordOf, strayTraces } from '../host.ts'
import { endPod, readPod, readStanding, startPod } from '../objects.ts'
import { manifestFolder } from '../product.ts'

/** Nopal leaves the cluster, while pods that it has attached still run. */
export const shutdown: readonly Case[] = [
  { name: 'uninstall: each node has its own default network back at once', run: uninstall },
  { name: 'pods start on it, without kactus', run: startAfter },
  { name: 'pods that kactus has attached still end, and give all back', run: endBefore },
  { name: 'the uninstall ends; no label, condition, taint, conf, kubeconfig, binary or record is left', run: seeGone },
]

/** After the rights were compared: what is asked while they are being deleted is refused. */
export const removal: readonly Case[] = [
  { name: 'kubectl delete -k daemonset: nothing of it is left, and pods come and go', run: removeAll },
]

const after = (node: string) => `after-${node}`
const waiting = (node: string) => `waiting-${node}`

async function uninstall(t: Test, { cluster: { kubectl }, nodes }: Bed): Promise<void> {
  const patch = join(manifestFolder, 'uninstall.yaml')
  await kubectl(['-n', 'nopal', 'patch', 'daemonset', 'nopal', '--patch-file', patch])
  for (const { name, machine } of nodes) {
    await until(`${name} without kactus' conf`, async () => !(await isThere(machine, ownFiles.conf)), {
      limitMs: 60_000,
      despiteErrors: true,
    })
    t.same(await confsOf(machine), ['10-e2e.conflist'], name)
    t.ok(await isThere(machine, ownFiles.binary), `${name} keeps kactus for the pods it has attached`)
  }
}

async function startAfter(t: Test, { cluster: { admin, kubectl }, nodes }: Bed): Promise<void> {
  for (const { name, machine } of nodes) {
    const pod = await startPod(admin, { name: after(name), node: name })
    t.equal(await recordOf(machine, pod.metadata.uid), undefined, `${name}: no record`)
  }
  const address = (await readPod(admin, after(nodes[1].name)))?.status.podIP ?? ''
  const ping = ['exec', after(nodes[0].name), '--', 'ping', '-c', '1', '-W', '5', address]
  t.match(await kubectl(ping), ' 0% packet loss', 'over the mesh')
}

async function endBefore(t: Test, { cluster: { admin }, nodes }: Bed): Promise<void> {
  for (const { name, machine } of nodes) {
    const uid = (await readPod(admin, waiting(name)))?.metadata.uid ?? ''
    t.equal((await recordOf(machine, uid))?.attachments.length, 2, `${name}: attached to two networks`)
    await endPod(admin, waiting(name))
    await until(
      `the networks of ${waiting(name)} given back`,
      async () => {
        const [record, strays] = [await recordOf(machine, uid), await strayTraces(machine)]
        return record === undefined && strays.length === 0
      },
      { limitMs: 30_000, despiteErrors: true },
    )
    const sandboxes = (await olderSandboxes(machine)).length
    const areOthersGone = async () => (await addressesOf(machine)).length === sandboxes
    await until(`only the default network's addresses on ${name}`, areOthersGone, { despiteErrors: true })
  }
}

async function seeGone(t: Test, { cluster: { admin, kubectl }, nodes }: Bed): Promise<void> {
  await kubectl(['-n', 'nopal', 'rollout', 'status', 'daemonset', 'nopal', '--timeout=60s'])
  for (const { name, machine } of nodes) {
    t.same(await readStanding(admin, name), { tainted: false, label: undefined, condition: undefined }, name)
    const own = [...Object.values(ownFiles), '/etc/cni/net.d/kactus.d', '/var/lib/cni/kactus']
    for (const path of own) t.notOk(await isThere(machine, path), `${name}: ${path}`)
    const folders = ['/etc/cni', '/opt/cni', '/var/lib/cni']
    const strays = await machine.run(['find', ...folders, '-name', '*kactus*', '-o', '-name', '*nopal*', '-type', 'f'])
    t.equal(strays, '', `${name}: nothing of that name`)
  }
}

async function removeAll(t: Test, { cluster: { admin, kubectl }, nodes }: Bed): Promise<void> {
  await kubectl(['delete', '-k', manifestFolder, '--timeout=60s'])
  const kinds = 'namespaces,clusterroles,clusterrolebindings,crds'
  t.equal(await kubectl(['get', kinds, '-l', 'app.kubernetes.io/part-of=nopal', '-o', 'name']), '')
  for (const { name } of nodes) {
    await endPod(admin, after(name))
    await startPod(admin, { name: after(name), node: name })
    await endPod(admin, after(name))
  }
}
