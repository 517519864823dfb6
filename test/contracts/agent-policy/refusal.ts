import type { ApiRequest } from '../../cluster/api-server.ts'

/**
 * What somebody with the token of node n1 tries: the verb and resource of RBAC that it takes, a name for people, the
 * request (a PUT says what differs from the object that is there), and part of what the policy says to it.
 */
export type Refusal = readonly [right: string, name: string, send: ApiRequest, says: string]
