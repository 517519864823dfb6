import * as v from 'valibot'

const claimsShape = v.object({ exp: v.number() })

/** When a token of a ServiceAccount runs out, in milliseconds since 1970; undefined = it does not say. */
export function expiryOf(token: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    return v.parse(claimsShape, claims).exp * 1000
  } catch {
    return undefined
  }
}
