import { randomUUID } from 'node:crypto'
import { bare, envelope, type FakeHandler, objectOf, refuse, textOf, userOf } from './answers.ts'
import type { FakeAnswer } from './faults.ts'
import { type FakeState, type FakeUser, type Json, timeNow } from './state.ts'

const never = '0001-01-01T00:00:00Z'
const masterKey = 'fake-master-key'

export function addUser(state: FakeState, name: string, password: string, superAdmin = false): FakeUser {
  const shown: Json = {
    username: name,
    external_identity_provider_id: '',
    is_mfa_enabled: false,
    display_name: '',
    account_disabled: false,
    isadmin: true,
    issuperadmin: superAdmin,
    auth_type: 'basic_auth',
    remote_gw_ids: null,
    user_group_ids: {},
    platform_role_id: superAdmin ? 'super-admin' : 'admin',
    network_roles: null,
    last_login_time: never,
    num_access_tokens: 0,
    created_by: '',
    created_at: timeNow(),
    updated_at: timeNow(),
  }
  const user = { shown, password, disabled: false, mfa: false }
  state.users.set(name, user)
  return user
}

export const createSuperAdmin: FakeHandler = call => {
  if (call.state.users.size > 0) return refuse(400, 'superadmin user already exists')
  const body = objectOf(call)
  return bare(addUser(call.state, textOf(body?.username), textOf(body?.password), true).shown)
}

export const login: FakeHandler = call => {
  const { state } = call
  const body = objectOf(call)
  if (body === undefined) return refuse(500, "W1R3: It's not you it's me.")
  if (!body.username) return refuse(401, 'user identifiers not provided')
  if (!body.password) return refuse(400, "password can't be empty")
  if (state.faults.unreadable.has('users_v1')) return refuse(401, 'no such table: users_v1')
  if (state.faults.locked) return refuse(400, 'database is locked')
  const user = userOf(call, body.username)
  if (user === undefined) return refuse(401, 'record not found')
  return logIn(state, user, body)
}

function logIn(state: FakeState, user: FakeUser, { username, password }: Json): FakeAnswer {
  if (user.disabled) return refuse(401, 'user account disabled')
  if (!state.basicAuth && user.shown.issuperadmin !== true) return refuse(400, 'basic auth is disabled')
  if (user.password !== password) return refuse(400, 'incorrect credentials')
  const name = textOf(username)
  if (user.mfa) {
    const dead = state.giveToken(name, 'dead')
    return envelope('W1R3: TOTP required', { user_name: name, pre_auth_token: dead })
  }
  user.shown.last_login_time = timeNow()
  const token = state.giveToken(name, state.tokenMinutes > 0 ? 'user' : 'dead')
  return envelope(`W1R3: Device ${name} Authorized`, { UserName: name, AuthToken: token })
}

export const createUser: FakeHandler = call => {
  if (call.user === masterKey) return refuse(400, 'record not found')
  const body = objectOf(call)
  return bare(addUser(call.state, textOf(body?.username), textOf(body?.password)).shown)
}

export const updateUser: FakeHandler = call => {
  const user = userOf(call, call.parts[0])
  if (user === undefined) return refuse(400, 'record not found')
  user.password = textOf(objectOf(call)?.password)
  user.shown.updated_at = timeNow()
  return bare(user.shown)
}

export const deleteUser: FakeHandler = call => {
  call.state.users.delete(call.parts[0] ?? '')
  return bare(`${call.parts[0]} deleted.`)
}

export const switchUser =
  (disabled: boolean): FakeHandler =>
  call => {
    const user = userOf(call, call.parts[0])
    if (user !== undefined) user.disabled = disabled
    return envelope(`user account ${disabled ? 'disabled' : 'enabled'}`, null)
  }

export const logout: FakeHandler = () => envelope('user logged out', null)

export const createAccessToken: FakeHandler = call => {
  const { state, user } = call
  if (user === masterKey) return refuse(401, 'record not found')
  const body = objectOf(call)
  const owner = textOf(body?.user_name)
  const expires = textOf(body?.expires_at)
  const token = state.giveToken(owner, Date.parse(expires) > Date.now() ? 'access' : 'dead')
  state.accessTokens.push({
    id: randomUUID(),
    name: body?.name,
    user_name: owner,
    expires_at: expires,
    last_used: timeNow(),
    created_by: user,
    created_at: timeNow(),
    token,
  })
  return envelope(`api access token has generated for user ${owner}`, { UserName: owner, AuthToken: token })
}

export const listAccessTokens: FakeHandler = ({ state, query }) => {
  const name = query.get('username')
  const rows = state.accessTokens.filter(row => row.user_name === name)
  const shown = rows.map(({ token: _, ...row }) => row)
  return envelope(`fetched api access tokens for user ${name}`, shown)
}

export const revokeAccessToken: FakeHandler = ({ state, query }) => {
  const row = state.accessTokens.find(({ id }) => id === query.get('id'))
  const token = state.tokens.get(textOf(row?.token))
  if (token !== undefined) token.revoked = true
  return envelope('revoked access token', null)
}

export const loginHost: FakeHandler = call => {
  const body = objectOf(call)
  const id = textOf(body?.id)
  const token = call.state.giveToken(id, 'host')
  const said = { Code: 200, Message: `W1R3: Host ${id} Authorized`, Response: { ID: id, AuthToken: token } }
  return { status: 200, type: 'text/plain; charset=utf-8', body: JSON.stringify(said) }
}

/** Who sends the header, or the refusal. The word before the token is not looked at, but must be there. */
export function authenticate(state: FakeState, header: string, kind: 'user' | 'host'): string | FakeAnswer {
  const [, value = ''] = header.split(' ')
  if (value === masterKey && kind === 'user') return masterKey
  const token = state.tokens.get(value)
  if (token === undefined || token.kind === 'dead') return refuse(401, 'unauthorized')
  if (token.revoked) return refuse(401, 'token revoked')
  if ((token.kind === 'host') !== (kind === 'host')) return refuse(401, 'unauthorized')
  if (kind === 'host') return token.owner
  if (state.faults.unreadable.has('users_v1')) return refuse(401, 'no such table: users_v1')
  const user = state.users.get(token.owner)
  if (user === undefined) return refuse(401, 'record not found')
  return user.disabled ? refuse(401, 'user account disabled') : token.owner
}

/** Whose token a route asks for. */
export type Login = 'none' | 'user' | 'host'
