import t from 'tap'
import { CredentialsError, type LoadedCredentials } from '../../../../agent/kube/credentials.ts'
import { followCredentials } from '../../../../agent/kube/follow-credentials.ts'
import { credentialsFor } from './test-server.ts'

interface Disk {
  /** Name to content; undefined = not there. */
  readonly files: Map<string, string>
  loads: number
}

/** A configuration that names its certificate, both files. */
function follow(disk: Disk) {
  return followCredentials({
    load(): LoadedCredentials {
      disk.loads += 1
      const config = disk.files.get('config') ?? fail('config')
      const cert = disk.files.get(config) ?? fail(config)
      return { credentials: credentialsFor('https://h', { clientCertPem: cert }), files: ['config', config] }
    },
    stamp: async file => disk.files.get(file) ?? fail(file),
  })
}

function fail(file: string): never {
  throw new CredentialsError('FileMissing', `${file} does not exist`)
}

const diskOf = (entries: Readonly<Record<string, string>>): Disk => ({
  files: new Map(Object.entries(entries)),
  loads: 0,
})

t.test('each change of a file is followed; what cannot be read changes nothing', async t => {
  const disk = diskOf({ config: 'a.crt', 'a.crt': 'A1', 'b.crt': 'B1' })
  const source = await follow(disk)
  const steps: readonly { change: readonly [string, string | undefined]; want: string }[] = [
    { change: ['a.crt', 'A1'], want: 'A1' },
    { change: ['a.crt', 'A2'], want: 'A2' },
    { change: ['a.crt', undefined], want: 'A2' },
    { change: ['a.crt', 'A3'], want: 'A3' },
    { change: ['config', 'c.crt'], want: 'A3' },
    { change: ['c.crt', 'C1'], want: 'C1' },
    { change: ['c.crt', 'C2'], want: 'C2' },
  ]
  for (const { change, want } of steps) {
    const [file, content] = change
    if (content === undefined) disk.files.delete(file)
    else disk.files.set(file, content)
    t.equal((await source.current()).clientCertPem, want, change.join(' '))
    t.equal(source.last().clientCertPem, want)
  }
})

t.test('files that stay as they are are not read again', async t => {
  const disk = diskOf({ config: 'a.crt', 'a.crt': 'A1' })
  const source = await follow(disk)
  await source.current()
  const { loads } = disk
  await Promise.all([source.current(), source.current()])
  await source.current()
  t.equal(disk.loads, loads)
})

t.test('a file that is replaced while it is read is read again', async t => {
  const disk = diskOf({ config: 'a.crt', 'a.crt': 'A1' })
  const source = await follow(disk)
  disk.files.set('a.crt', 'A2')
  t.equal((await source.current()).clientCertPem, 'A2')
})

t.test('credentials that were never there are a fault', async t => {
  await t.rejects(follow(diskOf({})), { code: 'FileMissing' })
})
