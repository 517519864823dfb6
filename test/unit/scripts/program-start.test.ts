import t from 'tap'
import { setStart } from '../../../scripts/program-start.ts'

const entryAt = 0x190
const rest = Buffer.from('the rest of the program')

/** An executable of two segments, the second of which is code that begins with the given bytes. */
function programOf(machine: number, start: string): Buffer {
  const header = Buffer.alloc(64)
  header.writeUInt16LE(machine, 18)
  header.writeBigUInt64LE(BigInt(0x400000 + entryAt), 24)
  header.writeBigUInt64LE(64n, 32)
  header.writeUInt16LE(56, 54)
  header.writeUInt16LE(3, 56)
  const data = { type: 1, offset: 0, address: 0x200000, size: entryAt }
  const note = { type: 4, offset: 0, address: 0x400000, size: 0x1000 }
  const code = { type: 1, offset: entryAt - 0x10, address: 0x400000 + entryAt - 0x10, size: 0x1000 }
  const segments = [data, note, code].map(({ type, offset, address, size }) => {
    const segment = Buffer.alloc(56)
    segment.writeUInt32LE(type, 0)
    segment.writeBigUInt64LE(BigInt(offset), 8)
    segment.writeBigUInt64LE(BigInt(address), 16)
    segment.writeBigUInt64LE(BigInt(size), 32)
    return segment
  })
  const head = Buffer.concat([header, ...segments])
  return Buffer.concat([head, Buffer.alloc(entryAt - head.length), Buffer.from(start, 'hex'), rest])
}

interface StartCase {
  readonly name: string
  readonly machine: number
  readonly usual: string
  /** Read by a disassembler once; run on both CPUs. */
  readonly changed: string
}

const cases: readonly StartCase[] = [
  {
    name: 'x86-64',
    machine: 62,
    usual: 'f30f1efa31ed4989d15e4889e24883e4f05054',
    changed: '31ed4989d15e545a48896cf2084883e4f05054',
  },
  {
    name: 'arm64',
    machine: 183,
    usual: '1d0080d21e0080d2e50300aae10340f9e2230091e6030091',
    changed: 'e50300aae10340f9e2230091460c018bdf0400f9e6030091',
  },
]

for (const { name, machine, usual, changed } of cases) {
  t.test(`${name}: the first instructions are changed, nothing else, and changed back`, async t => {
    const program = programOf(machine, usual)
    setStart(program, 'without environment')
    t.equal(program.toString('hex'), programOf(machine, changed).toString('hex'))
    setStart(program, 'usual')
    t.equal(program.toString('hex'), programOf(machine, usual).toString('hex'))
  })
}

interface RefusedCase {
  readonly name: string
  readonly program: Buffer
  readonly says: RegExp
}

const [x86 = { usual: '', changed: '' }] = cases
const elsewhere = programOf(62, x86.usual)
elsewhere.writeBigUInt64LE(0x999999n, 24)

const refused: readonly RefusedCase[] = [
  { name: 'another CPU', program: programOf(243, x86.usual), says: /a CPU whose start is not known/ },
  { name: 'another start', program: programOf(62, `90${x86.usual}`), says: /in an unknown way: 90f30f1e/ },
  { name: 'changed already', program: programOf(62, x86.changed), says: /in an unknown way: 31ed/ },
  { name: 'no segment has its entry', program: elsewhere, says: /has no start/ },
]

for (const { name, program, says } of refused) {
  t.test(`${name}: refused, and left as it was`, async t => {
    const before = program.toString('hex')
    t.throws(() => setStart(program, 'without environment'), { message: says })
    t.equal(program.toString('hex'), before)
  })
}
