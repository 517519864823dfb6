import t from 'tap'
import { runContract } from './api/contract.ts'

await t.test('the embedded API server', async t => runContract(t, 'embedded'))
