/**
 * What a Linux program does before its main function, in glibc's words (`_start` of crt1.o), or in as many bytes the
 * same but for one thing: the list of its environment ends before its first entry, so that whatever is built into the
 * program finds no variable at all. /proc/self/environ still has them, for code that means to read them.
 *
 * An engine obeys dozens of variables before our first line runs: they load files into it, write files, open ports,
 * turn it into another program, and each release knows new ones. Of an empty list it can obey none.
 */
export type Start = 'usual' | 'without environment'

/** The first bytes of `_start`, by the machine's number in an ELF header. */
const starts: Readonly<Record<number, Readonly<Record<Start, string>>>> = {
  // x86-64. At the entry rsp points to argc, argv[], NULL, envp[], NULL; rdx is for the end, not ours to lose.
  62: {
    usual: [
      'f30f1efa', // endbr64             a landing mark for jumps that no Linux asks for
      '31ed', //     xor  ebp, ebp
      '4989d1', //   mov  r9, rdx
      '5e', //       pop  rsi            argc
      '4889e2', //   mov  rdx, rsp       argv
      '4883e4f0', // and  rsp, -16
      '50', //       push rax
      '54', //       push rsp
    ].join(''),
    'without environment': [
      '31ed', //       xor  ebp, ebp
      '4989d1', //     mov  r9, rdx
      '5e', //         pop  rsi
      '54', //         push rsp
      '5a', //         pop  rdx
      '48896cf208', // mov  [rdx + 8 * rsi + 8], rbp      envp[0] = NULL
      '4883e4f0', //   and  rsp, -16
      '50', //         push rax
      '54', //         push rsp
    ].join(''),
  },
  // arm64. The kernel starts a program with x29 = 0, and the call that follows sets x30: neither needs to be cleared.
  183: {
    usual: [
      '1d0080d2', // mov  x29, #0
      '1e0080d2', // mov  x30, #0
      'e50300aa', // mov  x5, x0
      'e10340f9', // ldr  x1, [sp]       argc
      'e2230091', // add  x2, sp, #8     argv
      'e6030091', // mov  x6, sp
    ].join(''),
    'without environment': [
      'e50300aa', // mov  x5, x0
      'e10340f9', // ldr  x1, [sp]
      'e2230091', // add  x2, sp, #8
      '460c018b', // add  x6, x2, x1, lsl #3
      'df0400f9', // str  xzr, [x6, #8]                   envp[0] = NULL
      'e6030091', // mov  x6, sp
    ].join(''),
  },
}

/** Fields of a 64-bit ELF file, little-endian: the header's, then those of an entry in the list of its segments. */
const HEADER = { machine: 18, entry: 24, segments: 32, segmentSize: 54, segmentCount: 56 }
const SEGMENT = { type: 0, offset: 8, address: 16, fileSize: 32 }
const LOADED = 1

/**
 * Changes how a program starts, in place.
 * @param program the whole of an ELF executable
 * @throws Error where it does not start in the other way: its engine has changed, and has to be looked at afresh
 */
export function setStart(program: Buffer, wanted: Start): void {
  const known = starts[program.readUInt16LE(HEADER.machine)]
  if (known === undefined) throw new Error('a program for a CPU whose start is not known')
  const present = Buffer.from(known[wanted === 'usual' ? 'without environment' : 'usual'], 'hex')
  const at = findEntry(program)
  if (!program.subarray(at, at + present.length).equals(present)) {
    throw new Error(
      `the program starts in an unknown way: ${program.subarray(at, at + present.length).toString('hex')}`,
    )
  }
  Buffer.from(known[wanted], 'hex').copy(program, at)
}

/** Where in the file the first instruction is. */
function findEntry(program: Buffer): number {
  const entry = readAddress(program, HEADER.entry)
  const size = program.readUInt16LE(HEADER.segmentSize)
  for (let index = 0; index < program.readUInt16LE(HEADER.segmentCount); index++) {
    const segment = readAddress(program, HEADER.segments) + index * size
    if (program.readUInt32LE(segment + SEGMENT.type) !== LOADED) continue
    const within = entry - readAddress(program, segment + SEGMENT.address)
    if (within < 0 || within >= readAddress(program, segment + SEGMENT.fileSize)) continue
    return readAddress(program, segment + SEGMENT.offset) + within
  }
  throw new Error('the program has no start')
}

function readAddress(program: Buffer, at: number): number {
  return Number(program.readBigUInt64LE(at))
}
