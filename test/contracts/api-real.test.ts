import t from 'tap'
import { runContract } from './api/contract.ts'

await t.test('the real API server', async t => runContract(t, 'real'))
