import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { until } from '../machine/wait.ts'
import { isRunning } from '../unit/cni/host/child.ts'
import { shutNode } from './gate-bed.ts'
import { type Lab, startLab } from './lab.ts'
import type { LabNode } from './node.ts'
import { networkCondition, readNode } from './objects.ts'
import { conditionOf, sandboxTraces, untilAllTakenDown } from './verify-bed.ts'

/** Where CNI executables are, as k3s has them: a link that every upgrade turns to a folder of its own. */
const current = '/opt/cni/data/current'

t.test("the host's files change below a running agent", async t => {
  const lab = await startLab({ api: 'real', nodes: 1 })
  t.teardown(async () => {
    if (!t.passing()) t.comment(lab.run.logTails(40))
    await lab.stop()
  })
  const node = lab.node(1)

  await t.test('an upgrade turns the link to the CNI executables: kactus appears behind it', async t => {
    putRelease(node, 'one')
    turn(node, 'one')
    rmSync(node.path('/opt/cni/bin'), { recursive: true })
    symlinkSync('data/current', node.path('/opt/cni/bin'))
    const agent = await lab.startAgent(node)
    await conditionOf(lab, node, 'True')
    t.ok(existsSync(node.path('/opt/cni/data/one/kactus')))

    // The upgrade has brought the executables, but nobody can write there yet.
    putRelease(node, 'two')
    await node.run(['mount', '--bind', '/opt/cni/data/two', '/opt/cni/data/two'])
    await node.run(['mount', '-o', 'remount,bind,ro', '/opt/cni/data/two'])
    turn(node, 'two')
    await shutNode(lab, node.name)
    await untilNotInstalled(lab, node)
    t.equal(existsSync(node.path('/opt/cni/data/two/kactus')), false)

    await node.run(['mount', '-o', 'remount,bind,rw', '/opt/cni/data/two'])
    const mendedMs = performance.now()
    await until('kactus behind the new link', () => existsSync(node.path('/opt/cni/data/two/kactus')))
    t.comment(`kactus behind the new link after ${((performance.now() - mendedMs) / 1000).toFixed(1)} s`)
    await conditionOf(lab, node, 'True')
    t.equal(readlinkSync(node.path('/opt/cni/bin')), 'data/current', 'the link stays')
    // While there was no kactus, no sandbox could be detached.
    await untilAllTakenDown(node, agent)
    t.equal(await agent.stop('SIGTERM', 5000), 0)
  })

  await t.test('an agent that is told to end takes the plugin along that hangs in a probe', async t => {
    // It makes more than one process, as real ones do.
    const hanging = '#!/bin/sh\n[ "$CNI_COMMAND" = ADD ] || exit 0\nsleep 1000 &\necho "$$ $!" >/run/hanging\nwait\n'
    writeFileSync(node.path('/opt/cni/data/two/hang'), hanging)
    chmodSync(node.path('/opt/cni/data/two/hang'), 0o755)
    const list = JSON.stringify({ cniVersion: '1.0.0', name: 'first', plugins: [{ type: 'hang' }] })
    writeFileSync(node.path('/etc/cni/net.d/00-first.conflist'), list)
    const agent = await lab.startAgent(node, { settings: '[install]\nenabled = false\n' })
    const noted = () => (existsSync(node.path('/run/hanging')) ? readFileSync(node.path('/run/hanging'), 'utf8') : '')
    await until('a probe under way', () => noted().endsWith('\n'))
    t.equal(await agent.stop('SIGTERM', 5000), 0)
    const pids = noted().trim().split(' ')
    t.equal(pids.length, 2)
    t.same(pids.map(Number).filter(isRunning), [], 'no process of it is left')
    t.same(await sandboxTraces(node), [])
  })
})

function putRelease(node: LabNode, name: string): void {
  const folder = node.path(`/opt/cni/data/${name}`)
  mkdirSync(folder, { recursive: true })
  cpSync(node.path('/opt/cni/bin'), folder, { recursive: true, dereference: true })
  rmSync(join(folder, 'kactus'), { force: true })
}

/** In one step, so that there is no moment without it. */
function turn(node: LabNode, name: string): void {
  symlinkSync(name, `${node.path(current)}.new`)
  renameSync(`${node.path(current)}.new`, node.path(current))
}

async function untilNotInstalled(lab: Lab, node: LabNode): Promise<void> {
  await until('the node to say so', async () => {
    const condition = networkCondition(await readNode(lab.api, node.name))
    return condition?.status === 'False' && condition.reason === 'NotInstalled'
  })
}
