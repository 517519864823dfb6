import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { combineImages } from '../../../scripts/combine-images.ts'
import { writeOciArchive } from '../../../scripts/oci-image.ts'

const name = 'localhost/a/b:1.2'

t.test('one archive of two: an index that names both images, and all their blobs once', async t => {
  const folder = t.testdir({ one: { a: 'same for both' }, amd64: { b: 'program' }, arm64: { b: 'other program' } })
  const write = async (architecture: 'amd64' | 'arm64') => {
    const layers = ['one', architecture].map(layer => join(folder, layer))
    const output = join(folder, `${architecture}.tar`)
    const platform = { os: 'linux', architecture } as const
    return { output, ...(await writeOciArchive({ name, platform, layers, config: {}, output })) }
  }
  const [amd64, arm64] = [await write('amd64'), await write('arm64')]
  const output = join(folder, 'both.tar')
  const combined = await combineImages([amd64.output, arm64.output], output)
  t.same(combined.manifests, { amd64: amd64.digest, arm64: arm64.digest })

  const read = (path: string) => JSON.parse(execFileSync('tar', ['-xOf', output, path]).toString())
  const blob = (digest: string) => read(`./blobs/${digest.replace(':', '/')}`)
  const { manifests } = read('./index.json')
  t.match(manifests, [{ digest: combined.index, annotations: { 'io.containerd.image.name': name } }])
  t.equal(manifests.length, 1)
  t.match(blob(combined.index).manifests, [
    { digest: amd64.digest, platform: { os: 'linux', architecture: 'amd64' } },
    { digest: arm64.digest, platform: { os: 'linux', architecture: 'arm64' } },
  ])
  const blobs = execFileSync('tar', ['-tf', output])
    .toString()
    .split('\n')
    .filter(path => /sha256\/./.test(path))
  t.equal(blobs.length, 3 + 2 + 2 + 1, 'layers, configs, manifests, index')
  for (const { digest } of [amd64, arm64])
    for (const layer of blob(digest).layers) t.ok(blobs.includes(`./blobs/${layer.digest.replace(':', '/')}`))
  t.same(await combineImages([amd64.output, arm64.output], output), combined, 'always the same')
  t.same(
    readdirSync(folder).sort(),
    ['amd64', 'amd64.tar', 'arm64', 'arm64.tar', 'both.tar', 'one'],
    'nothing else is left',
  )
})

t.test('an archive that is none: no output', async t => {
  const folder = t.testdir({ 'not.tar': 'x' })
  await t.rejects(combineImages([join(folder, 'not.tar')], join(folder, 'out.tar')))
  t.same(readdirSync(folder), ['not.tar'])
})
