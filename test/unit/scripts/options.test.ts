import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'

/** What a script refuses before it sets up, builds or starts anything. */

const root = join(import.meta.dirname, '../../..')

interface RefusedRow {
  readonly call: readonly [string, ...string[]]
  readonly says: string
  readonly code: number
}

const refused: readonly RefusedRow[] = [
  { call: ['scripts/demo.sh', '--kep'], says: 'demo: unknown option --kep', code: 2 },
  { call: ['scripts/conformance.sh', '--kill'], says: 'conformance: unknown option --kill', code: 2 },
  { call: ['scripts/conformance.sh', '--jobs', '0'], says: '--jobs is a number from 1, not "0"', code: 2 },
  { call: ['scripts/conformance.sh', '--jobs', '4x'], says: '--jobs is a number from 1, not "4x"', code: 2 },
  { call: ['scripts/conformance.sh', '--jobs'], says: '--jobs is a number from 1, not ""', code: 2 },
  { call: ['scripts/image.sh', '--arch', 'riscv64'], says: 'image: --arch is amd64 or arm64, not riscv64', code: 1 },
  { call: ['scripts/release.sh', '0.0.0'], says: 'release: package.json says version', code: 1 },
  {
    call: [process.execPath, 'scripts/sbom.ts', '--arch', 'riscv64', '--output', '/dev/null/sbom'],
    says: 'sbom: --arch is amd64 or arm64, not "riscv64"',
    code: 1,
  },
]

for (const { call, says, code } of refused) {
  t.test(call.slice(-3).join(' '), async t => {
    const [program, ...args] = call
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8', env: {} })
    t.match({ status, stdout, stderr }, { status: code, stdout: '', stderr: says })
  })
}
