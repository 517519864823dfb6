import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createPluginRunner } from '../../../../agent/sandbox/plugins.ts'

t.test("a plugin that the agent runs has a PATH, and of the agent's own environment nothing", async t => {
  const folder = t.testdir()
  const [plugin, seen] = [join(folder, 'looker'), join(folder, 'seen')]
  writeFileSync(plugin, `#!/bin/sh\nenv > ${seen}\necho '{}'\n`)
  chmodSync(plugin, 0o755)
  const paths = {
    hostRoot: '',
    binDirOnHost: folder,
    binFolder: folder,
    confFolder: '',
    recordFolder: '',
    lockFolder: '',
  }
  const runner = createPluginRunner(paths, { limitMs: 10_000 })
  await runner.run({
    command: 'DEL',
    type: 'looker',
    config: { cniVersion: '1.0.0', name: 'n', type: 'looker' },
    variables: { CNI_IFNAME: 'eth0' },
  })
  const names = readFileSync(seen, 'utf8')
    .split('\n')
    .map(line => line.split('=')[0])
  t.match(readFileSync(seen, 'utf8'), /^PATH=\/usr\/local\/sbin:.*:\/bin$/m)
  t.same(
    names.filter(name => /^(HOME|TAP|npm_)/.test(name ?? '')),
    [],
  )
})
