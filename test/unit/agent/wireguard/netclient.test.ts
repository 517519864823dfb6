import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { findNetclient } from '../../../../agent/wireguard/netclient.ts'

interface Process {
  readonly comm: string
  readonly net?: string
  readonly interfaces?: string
}

const asRoot = process.getuid?.() === 0

/** A folder that looks like /proc. */
function makeProc(t: Test, processes: Readonly<Record<string, Process>>): string {
  const proc = t.testdir({})
  for (const [pid, { comm, net, interfaces = 'eth0' }] of Object.entries(processes)) {
    mkdirSync(join(proc, pid, 'ns'), { recursive: true })
    mkdirSync(join(proc, pid, 'net'))
    writeFileSync(join(proc, pid, 'comm'), `${comm}\n`)
    writeFileSync(join(proc, pid, 'net/dev'), `Inter-|\n face |\n ${interfaces}: 1 2\n`)
    if (net !== undefined) symlinkSync(net, join(proc, pid, 'ns/net'))
  }
  return proc
}

const self = { comm: 'node', net: 'net:[1]' }

t.test("netclient's process", { skip: asRoot ? false : 'needs root: only processes of root count' }, async t => {
  const find = (processes: Readonly<Record<string, Process>>, device = 'netmaker') =>
    findNetclient(device, makeProc(t, { self, ...processes }))
  t.equal(await find({ 1: { comm: 'init' }, 7: { comm: 'netclient', net: 'net:[1]' } }), 7)
  t.equal(await find({ 8: { comm: 'netclient', net: 'net:[1]' } }, 'nm-lab'), 8)
  t.equal(await find({ 9: { comm: 'netclient', net: 'net:[1]' } }, 'wt0'), undefined, "another program's device")
  t.equal(await find({ 10: { comm: 'netclient', net: 'net:[2]' } }), undefined, 'in another network')
  t.equal(await find({ 11: { comm: 'netclients', net: 'net:[1]' } }), undefined, 'another name')
  t.equal(await find({ 12: { comm: 'netclient' } }), 12, 'one that does not show its network, but the same interfaces')
  t.equal(await find({ 13: { comm: 'netclient', interfaces: 'eth7' } }), undefined, 'nor those')
  t.equal(await find({}), undefined)
})
