import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import t from 'tap'
import { startPodResources } from '../fakes/pod-resources.ts'
import { documentOf, KactusBed, programs } from './kactus-bed.ts'

const resource = 'example.com/vf'
const green = 'net9f27410725ab'
const blue = 'net48d6215903df'
const grants = {
  other: { c: { [resource]: ['0000:00:09.9'] } },
  p1: {
    c1: { 'example.com/gpu': ['gpu0'] },
    c2: { [resource]: ['0000:00:01.1'] },
    c3: { [resource]: ['0000:00:01.2'] },
  },
}

/** The checkpoint file of the device manager, before and after Kubernetes 1.20. */
const checkpoints = [
  { name: 'a list', ids: ['0000:00:01.1', '0000:00:01.2'] },
  { name: 'lists by NUMA node', ids: { '0': ['0000:00:01.1'], '-1': ['0000:00:01.2'] } },
]

for (const program of programs) {
  t.test(basename(program), async t => {
    const prepare = async (t: Parameters<typeof KactusBed.make>[0]) => {
      const bed = await KactusBed.make(t, program)
      bed.putNetwork('green', { type: 'fake-b' }, { resource })
      bed.putNetwork('blue', { plugins: [{ type: 'fake-c' }, { type: 'fake-a' }] }, { resource })
      bed.putNetwork('red', { type: 'fake-b' }, { resource })
      bed.putPod([{ name: 'green' }, { name: 'blue' }])
      return { bed, kubelet: join(bed.folder, 'kubelet'), conf: bed.conf({ kubeletDir: join(bed.folder, 'kubelet') }) }
    }
    const deviceOf = (bed: KactusBed, ifname: string) => bed.stdinOf(bed.call('ADD', ifname)).deviceID

    t.test('from kubelet over gRPC: each network its own, hot-plugged ones too', async t => {
      const { bed, kubelet, conf } = await prepare(t)
      const server = await startPodResources(join(kubelet, 'pod-resources/kubelet.sock'), grants)
      t.teardown(() => server.stop())
      const answer = await bed.add({ conf })
      t.equal(answer.code, 0, answer.stdout)
      t.same([deviceOf(bed, green), deviceOf(bed, blue)], ['0000:00:01.1', '0000:00:01.2'])
      t.match(bed.stdinOf(bed.call('ADD', green)), { resourceName: resource })
      t.notMatch(bed.stdinOf(bed.calls().find(({ plugin, ifname }) => plugin === 'fake-a' && ifname === blue)), {
        deviceID: /./,
      })
      const hot = { conf, args: bed.args('K8S_POD_NETWORK=red') }
      t.match(
        documentOf(await bed.runPatiently('ADD', hot)),
        { code: 109, msg: /red.*example\.com\/vf/ },
        'none is left',
      )
      t.equal((await bed.run('DEL', { conf, args: bed.args('K8S_POD_NETWORK=green') })).code, 0)
      t.equal((await bed.runPatiently('ADD', hot)).code, 0)
      t.match(bed.stdinOf(bed.calls().at(-1)), { deviceID: '0000:00:01.1', pciBusID: '0000:00:01.1' })
      t.equal((await bed.del({ conf })).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })

    for (const { name, ids } of checkpoints) {
      t.test(`from the checkpoint: ${name}`, async t => {
        const { bed, kubelet, conf } = await prepare(t)
        await mkdir(join(kubelet, 'device-plugins'), { recursive: true })
        const entry = { PodUID: 'u1', ContainerName: 'c', ResourceName: resource, DeviceIDs: ids, AllocResp: '' }
        const Data = { PodDeviceEntries: [{ ...entry, PodUID: 'u2', DeviceIDs: ['x'] }, entry], RegisteredDevices: {} }
        await writeFile(
          join(kubelet, 'device-plugins/kubelet_internal_checkpoint'),
          JSON.stringify({ Data, Checksum: 12345678901234567890n.toString() }),
        )
        t.equal((await bed.add({ conf })).code, 0)
        t.same([deviceOf(bed, green), deviceOf(bed, blue)].toSorted(), ['0000:00:01.1', '0000:00:01.2'])
      })
    }

    t.test('no device, no kubelet, a checkpoint that is no JSON: refused before anything ran', async t => {
      const { bed, kubelet, conf } = await prepare(t)
      t.match(documentOf(await bed.add({ conf })), { code: 109 })
      await mkdir(join(kubelet, 'device-plugins'), { recursive: true })
      await writeFile(join(kubelet, 'device-plugins/kubelet_internal_checkpoint'), '{')
      t.match(documentOf(await bed.add({ conf })), { code: 109 })
      t.same([bed.calls(), bed.state()], [[], []])
    })
  })
}
