import t from 'tap'
import { aliasesOf } from '../../conformance/images.ts'
import { images } from '../../e2e/cluster/images.ts'

t.test(
  'the suite gets its image under every name and version that it lists, and nothing for what its specs do not run',
  async t => {
    const listed = [
      'registry.test/e2e/agnhost:2.59',
      'registry.test:5000/other/agnhost:2.6',
      'registry.test/pause:3.10.1',
      'registry.test/e2e/nginx:1.14-4',
      'registry.test/sig-storage/csi-attacher:v4.8.0',
      'registry.test/e2e/not-agnhost:1',
      'agnhost',
      '',
    ]
    const found = aliasesOf(listed.join('\n'))
    t.same(
      found.map(({ name }) => name),
      [listed[0], listed[1], listed[2], listed[3]],
    )
    t.same(
      found.filter(({ image }) => image === images.pause).map(({ name }) => name),
      [listed[2]],
    )
  },
)
