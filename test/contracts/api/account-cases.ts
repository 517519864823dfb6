import { get, networks, post, refusal, remove } from './requests.ts'
import { type ContractCase, textAt, valueAt } from './step.ts'

const accounts = '/api/v1/namespaces/default/serviceaccounts'
const pods = '/api/v1/namespaces/default/pods'
const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
const reviews = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
const accessReviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
const tokenRequest = (spec: object) => ({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec })

/** The claims inside a token. */
function claims(body: unknown): unknown {
  const [, payload = ''] = String(valueAt(body, 'status.token')).split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString())
}

/** Accounts, their tokens, and who a token says one is. */
export const accountCases: readonly ContractCase[] = [
  {
    name: 'a token of an account',
    steps: id => [
      { send: post(accounts, { metadata: { name: id } }), code: 201, body: { kind: 'ServiceAccount' } },
      {
        send: post(`${accounts}/${id}/token`, tokenRequest({ expirationSeconds: 3600 })),
        code: 201,
        body: {
          kind: 'TokenRequest',
          metadata: { name: id, namespace: 'default' },
          spec: { expirationSeconds: 3600, audiences: ['https://kubernetes.default.svc'] },
          status: { expirationTimestamp: /^\d{4}-.*Z$/ },
        },
        also: (t, body, [made]) =>
          t.match(claims(body), {
            iss: 'https://kubernetes.default.svc',
            sub: `system:serviceaccount:default:${id}`,
            'kubernetes.io': { namespace: 'default', serviceaccount: { name: id, uid: textAt(made, 'metadata.uid') } },
          }),
      },
    ],
  },
  {
    name: 'a token bound to a pod names the pod and its node',
    steps: id => [
      { send: post('/api/v1/nodes', { metadata: { name: id } }), code: 201 },
      {
        send: post(pods, { metadata: { name: id }, spec: { nodeName: id, containers: [{ name: 'c', image: 'i' }] } }),
        code: 201,
      },
      {
        send: ([, pod]) =>
          post(
            `${accounts}/default/token`,
            tokenRequest({
              boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: id, uid: textAt(pod, 'metadata.uid') },
            }),
          ),
        code: 201,
        also: (t, body, [node, pod]) =>
          t.match(claims(body), {
            'kubernetes.io': {
              pod: { name: id, uid: textAt(pod, 'metadata.uid') },
              node: { name: id, uid: textAt(node, 'metadata.uid') },
            },
          }),
      },
      {
        send: ([, , token]) => ({
          ...post(reviews, review),
          headers: { authorization: `Bearer ${textAt(token, 'status.token')}` },
        }),
        anonymous: true,
        code: 201,
        body: {
          status: {
            userInfo: {
              username: 'system:serviceaccount:default:default',
              extra: {
                'authentication.kubernetes.io/node-name': [id],
                'authentication.kubernetes.io/pod-name': [id],
              },
            },
          },
        },
      },
    ],
  },
  {
    name: 'tokens that are refused',
    steps: id => [
      {
        send: post(`${accounts}/none-${id}/token`, tokenRequest({})),
        code: 404,
        body: refusal(404, 'NotFound', `serviceaccounts "none-${id}" not found`),
      },
      {
        send: post(`${accounts}/default/token`, tokenRequest({ expirationSeconds: 5 })),
        code: 422,
        body: refusal(422, 'Invalid', 'may not specify a duration less than 10 minutes'),
      },
    ],
  },
  {
    name: 'a token for somebody else opens nothing, nor does one whose account is gone',
    steps: id => [
      { send: post(accounts, { metadata: { name: id } }), code: 201 },
      { send: post(`${accounts}/${id}/token`, tokenRequest({ audiences: ['vault'] })), code: 201 },
      {
        send: ([, token]) => ({
          ...get('/version'),
          headers: { authorization: `Bearer ${textAt(token, 'status.token')}` },
        }),
        anonymous: true,
        code: 401,
      },
      { send: post(`${accounts}/${id}/token`, tokenRequest({})), code: 201 },
      { send: remove(`${accounts}/${id}`), code: 200, body: { kind: 'ServiceAccount' } },
      {
        send: answers => ({
          ...get('/version'),
          headers: { authorization: `Bearer ${textAt(answers[3], 'status.token')}` },
        }),
        anonymous: true,
        code: 401,
        body: refusal(401, 'Unauthorized', 'Unauthorized'),
      },
    ],
  },
  {
    name: 'who am I',
    steps: id => [
      {
        send: post(reviews, review),
        code: 201,
        body: {
          kind: 'SelfSubjectReview',
          status: { userInfo: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] } },
        },
      },
      {
        send: post(reviews, review),
        as: `default/${id}`,
        code: 201,
        body: {
          status: {
            userInfo: {
              username: `system:serviceaccount:default:${id}`,
              uid: /^[0-9a-f-]{36}$/,
              groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
            },
          },
        },
      },
    ],
  },
  {
    name: 'may I',
    steps: () => [
      {
        send: post(accessReviews, {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes: { verb: 'patch', resource: 'nodes' } },
        }),
        code: 201,
        body: { spec: { resourceAttributes: { verb: 'patch', resource: 'nodes' } }, status: { allowed: true } },
      },
      { send: get(`${networks}?limit=1`), code: 200 },
    ],
  },
]
