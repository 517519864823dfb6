import t from 'tap'
import { KactusCode } from '../../../../cni/networks/codes.ts'

const codes: readonly number[] = Object.values(KactusCode)

t.test('own codes are those that the specification leaves to plugins', async t => {
  t.strictSame(
    codes.filter(code => !Number.isInteger(code) || code < 100 || code === 999),
    [],
  )
})

t.test('no code means two things', async t => {
  t.equal(new Set(codes).size, codes.length)
})
