import type { FakeHandler } from './answers.ts'
import * as egress from './egress.ts'
import * as hosts from './hosts.ts'
import * as networks from './networks.ts'
import * as pull from './pull.ts'
import * as server from './server.ts'
import type { Login } from './users.ts'
import * as users from './users.ts'

export interface Route {
  readonly method: string
  readonly path: RegExp
  readonly login: Login
  readonly handle: FakeHandler
}

/** `POST /api/users/*`: a star stands for one part of the path. */
function route(what: string, handle: FakeHandler, login: Login = 'user'): Route {
  const [method = '', path = ''] = what.split(' ')
  return { method, path: new RegExp(`^${path.replaceAll('*', '([^/]+)')}$`), login, handle }
}

const refuseHostRoute: FakeHandler = () => ({
  status: 401,
  type: 'application/json',
  body: JSON.stringify({ Code: 401, Message: 'unauthorized', Response: null }),
})

export const routes: readonly Route[] = [
  route('GET /api/server/status', server.status, 'none'),
  route('GET /api/server/feature_flags', server.featureFlags, 'none'),
  route('GET /api/server/health', server.health, 'none'),
  route('GET /api/server/settings', server.readSettings),
  route('PUT /api/server/settings', server.writeSettings),
  route('POST /api/users/adm/createsuperadmin', users.createSuperAdmin, 'none'),
  route('POST /api/users/adm/authenticate', users.login, 'none'),
  route('GET /api/users', server.readSettings),
  route('POST /api/users/*/disable', users.switchUser(true)),
  route('POST /api/users/*/enable', users.switchUser(false)),
  route('POST /api/users/*', users.createUser),
  route('PUT /api/users/*', users.updateUser),
  route('DELETE /api/users/*', users.deleteUser),
  route('POST /api/v1/users/logout', users.logout),
  route('POST /api/v1/users/access_token', users.createAccessToken),
  route('GET /api/v1/users/access_token', users.listAccessTokens),
  route('DELETE /api/v1/users/access_token', users.revokeAccessToken),
  route('GET /api/networks', networks.listNetworks),
  route('POST /api/networks', networks.createNetwork),
  route('GET /api/networks/*', networks.readNetwork),
  route('DELETE /api/networks/*', networks.deleteNetwork),
  route('GET /api/v1/enrollment-keys', networks.listKeys),
  route('POST /api/v1/enrollment-keys', networks.createKey),
  route('GET /api/hosts', hosts.listHosts),
  route('GET /api/v1/hosts', hosts.pageHosts),
  route('POST /api/hosts/adm/authenticate', users.loginHost, 'none'),
  route('POST /api/hosts/sync', hosts.syncHosts),
  route('POST /api/hosts/*/sync', hosts.syncHost),
  route('PUT /api/hosts/*', hosts.updateHost),
  route('DELETE /api/hosts/*', refuseHostRoute),
  route('DELETE /api/v1/ui/hosts/*', hosts.deleteHost),
  route('POST /api/hosts/*/networks/*', hosts.joinNetwork),
  route('DELETE /api/hosts/*/networks/*', hosts.leaveNetwork),
  route('POST /api/v1/host/register/*', hosts.register, 'none'),
  route('GET /api/v1/host', pull.pull, 'host'),
  route('GET /api/nodes', hosts.listNodes),
  route('GET /api/nodes/*', hosts.listNodes),
  route('PUT /api/v1/nodes/*/bulk/status', hosts.connectNodes),
  route('GET /api/v1/egress', egress.listEgress),
  route('POST /api/v1/egress', egress.createEgress),
  route('PUT /api/v1/egress', egress.updateEgress),
  route('DELETE /api/v1/egress', egress.deleteEgress),
  route('GET /api/v1/acls', pull.listAcls),
  route('POST /api/v1/acls', pull.createAcl),
  route('PUT /api/v1/acls', pull.updateAcl),
  route('DELETE /api/v1/acls', pull.deleteAcl),
]
