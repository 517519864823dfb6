import t from 'tap'
import { containerIdFault, interfaceNameFault, networkNameFault, pluginTypeFault } from '../../../../cni/spec/names.ts'
import { nastyPieces, randomInput, tryMany } from '../random-input.ts'

interface NameCase {
  readonly name: string
  readonly value: string
  readonly isGood: boolean
}

const plainCases: readonly NameCase[] = [
  { name: 'a hash', value: 'c0ffee123', isGood: true },
  { name: 'every kind of character', value: 'Ab9_.-', isGood: true },
  { name: 'one character', value: 'a', isGood: true },
  { name: 'dots inside', value: 'a..b', isGood: true },
  { name: '255 characters', value: 'a'.repeat(255), isGood: true },
  { name: 'nothing', value: '', isGood: false },
  { name: '256 characters', value: 'a'.repeat(256), isGood: false },
  { name: 'a dash first', value: '-a', isGood: false },
  { name: 'a dot first', value: '.a', isGood: false },
  { name: 'a slash', value: 'a/b', isGood: false },
  { name: 'the parent folder', value: '../x', isGood: false },
  { name: 'a space', value: 'a b', isGood: false },
  { name: 'a line end', value: 'a\n', isGood: false },
  { name: 'a NUL', value: 'a\u0000', isGood: false },
  { name: 'a separator of CNI_ARGS', value: 'a;b', isGood: false },
  { name: 'a letter of elsewhere', value: 'é', isGood: false },
]

for (const { name, value, isGood } of plainCases) {
  t.test(`container id and network name: ${name}`, async t => {
    t.equal(containerIdFault(value) === undefined, isGood)
    t.equal(networkNameFault(value) === undefined, isGood)
  })
}

const interfaceCases: readonly NameCase[] = [
  { name: 'eth0', value: 'eth0', isGood: true },
  { name: '15 bytes', value: 'net9f27410725ab', isGood: true },
  { name: 'dots and dashes', value: 'a.b-c_d', isGood: true },
  { name: 'three dots', value: '...', isGood: true },
  { name: 'nothing', value: '', isGood: false },
  { name: '16 bytes', value: 'net9f27410725abc', isGood: false },
  { name: '9 characters of 18 bytes', value: 'ééééééééé', isGood: false },
  { name: '7 characters of 14 bytes', value: 'ééééééé', isGood: true },
  { name: 'this folder', value: '.', isGood: false },
  { name: 'the parent folder', value: '..', isGood: false },
  { name: 'a slash', value: 'a/b', isGood: false },
  { name: 'a colon', value: 'a:b', isGood: false },
  { name: 'a space', value: 'a b', isGood: false },
  { name: 'a tab', value: 'a\tb', isGood: false },
  { name: 'a space of another script', value: 'a\u2003b', isGood: false },
  { name: 'a next-line character', value: 'a\u0085', isGood: false },
  { name: 'a NUL', value: 'a\u0000b', isGood: false },
]

for (const { name, value, isGood } of interfaceCases) {
  t.test(`interface: ${name}`, async t => {
    t.equal(interfaceNameFault(value) === undefined, isGood)
  })
}

interface TypeCase {
  readonly name: string
  readonly value: unknown
  readonly isGood: boolean
}

const typeCases: readonly TypeCase[] = [
  { name: 'bridge', value: 'bridge', isGood: true },
  { name: 'with an ending', value: 'my plugin.sh', isGood: true },
  { name: 'dots inside', value: 'a..b', isGood: true },
  { name: 'nothing', value: '', isGood: false },
  { name: 'this folder', value: '.', isGood: false },
  { name: 'the parent folder', value: '..', isGood: false },
  { name: 'out of the folder', value: '../../bin/sh', isGood: false },
  { name: 'absolute', value: '/bin/sh', isGood: false },
  { name: 'a backslash', value: '..\\sh', isGood: false },
  { name: 'a NUL', value: 'sh\u0000', isGood: false },
  { name: '300 characters', value: 'a'.repeat(300), isGood: false },
  { name: 'a number', value: 5, isGood: false },
  { name: 'absent', value: undefined, isGood: false },
  { name: 'a list', value: ['bridge'], isGood: false },
]

for (const { name, value, isGood } of typeCases) {
  t.test(`plugin type: ${name}`, async t => {
    t.equal(pluginTypeFault(value) === undefined, isGood)
  })
}

t.test('a random name without a fault stays in its folder and in its variable', async t => {
  const random = randomInput(3)
  const make = () => random.text([...nastyPieces, 'net', 'eth0', '_'], 5)
  const { surprises } = tryMany(
    5000,
    make,
    name => {
      const isHostile = name === '' || name === '.' || name === '..' || /[/;=\s\0]/.test(name)
      if (isHostile && containerIdFault(name) === undefined) throw new Error('taken for a container id')
      const isPath = name === '' || name === '.' || name === '..' || /[/\s\0:]/.test(name)
      const isLong = Buffer.byteLength(name) > 15
      if ((isPath || isLong) !== (interfaceNameFault(name) !== undefined)) throw new Error('misjudged as an interface')
    },
    () => false,
  )
  t.strictSame(surprises, [])
})
