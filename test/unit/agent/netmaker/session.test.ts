import t from 'tap'
import { describeError } from '../../../../agent/runtime/error-fields.ts'
import { clientFor, startServer } from './bed.ts'

const { signal } = new AbortController()
const answer = (status: number, body: object) => ({ status, type: 'application/json', body: JSON.stringify(body) })
const isLogin = (path: string) => path.endsWith('/adm/authenticate')

t.test('a token that was refused, twice, and is in the refusal, is in no error', async t => {
  const fake = await startServer(t)
  fake.faults.instead = ({ path }) =>
    isLogin(path)
      ? undefined
      : answer(401, { Code: 401, Message: `not ${[...fake.state.tokens.keys()].join(' nor ')}` })
  const error = await clientFor(t, fake)
    .listHosts(signal)
    .catch(error => error)
  t.match(error, { code: 'TokenRefused' })
  const told = JSON.stringify(describeError(error))
  t.match(told, 'not [secret] nor [secret]')
  for (const token of fake.state.tokens.keys()) t.notOk(told.includes(token))
})

t.test('a token that no header can carry', async t => {
  const fake = await startServer(t)
  fake.faults.instead = () => answer(200, { Response: { AuthToken: 'one\ntwo' } })
  const message = '[netmaker] api-url: the login was accepted with a token that cannot be sent'
  await t.rejects(clientFor(t, fake).listHosts(signal), { code: 'BadReply', message })
})
