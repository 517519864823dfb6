import t from 'tap'
import { expiryOf } from '../../../../agent/kube/token-expiry.ts'

const tokenOf = (claims: unknown) => `eyJh.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`

t.test('when a token runs out', async t => {
  t.equal(expiryOf(tokenOf({ exp: 1_700_000_000, sub: 'ü' })), 1_700_000_000_000)
})

for (const token of ['', 'plain', 'a.b.c', 'a.!!.c', tokenOf({}), tokenOf({ exp: '7' }), tokenOf(null), tokenOf([])]) {
  t.test(`a token that does not say when it runs out: ${token}`, async t => {
    t.equal(expiryOf(token), undefined)
  })
}
