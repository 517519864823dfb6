import t from 'tap'
import { parseWorker } from '../../../../agent/remedy/worker.ts'

const made = '2026-01-01T12:00:00Z'
const ended = '2026-01-01T12:00:09Z'
const labels = {
  'app.kubernetes.io/name': 'nopal-worker',
  'nopal.io/node-uid': 'u1',
  'nopal.io/attempt': '2',
  'nopal.io/failures': '1',
}

function podOf(status: unknown, metadata: object = {}): unknown {
  return {
    metadata: { name: 'p', uid: 'pu', creationTimestamp: made, labels, ...metadata },
    spec: { nodeName: 'n1' },
    status,
  }
}

const exit = (exitCode: number, reason: string, rest: object = {}) => ({
  phase: exitCode === 0 ? 'Succeeded' : 'Failed',
  containerStatuses: [
    { name: 'verify', state: { terminated: { exitCode, reason, finishedAt: ended, message: 'words' } } },
  ],
  ...rest,
})

const ends = [
  { name: 'nothing yet', status: undefined, state: 'waiting' },
  { name: 'null', status: null, state: 'waiting' },
  { name: 'waits', status: { phase: 'Pending' }, state: 'waiting' },
  { name: 'kubelet is silent', status: { phase: 'Unknown' }, state: 'waiting' },
  { name: 'runs', status: { phase: 'Running' }, state: 'running' },
  { name: '0', status: exit(0, 'Completed'), state: 'verified' },
  { name: '1', status: exit(1, 'Error'), state: 'failed' },
  { name: '2, wrong settings', status: exit(2, 'Error'), state: 'lost' },
  { name: '3, could not find out', status: exit(3, 'Error'), state: 'lost' },
  { name: '10', status: exit(10, 'Error'), state: 'lost' },
  { name: '137, killed', status: exit(137, 'Error'), state: 'lost' },
  { name: '1, out of memory', status: exit(1, 'OOMKilled'), state: 'lost' },
  { name: '128, no such program', status: exit(128, 'StartError'), state: 'lost' },
  { name: '1, past its deadline', status: exit(1, 'Error', { reason: 'DeadlineExceeded' }), state: 'lost' },
  { name: '1, evicted', status: exit(1, 'Error', { reason: 'Evicted' }), state: 'lost' },
  { name: '0, shut down with its node', status: exit(0, 'Completed', { reason: 'NodeShutdown' }), state: 'lost' },
  { name: '1, being deleted', status: exit(1, 'Error'), metadata: { deletionTimestamp: ended }, state: 'lost' },
  { name: 'no room', status: { phase: 'Failed', reason: 'OutOfpods' }, state: 'lost' },
  { name: 'never ran', status: { phase: 'Failed', containerStatuses: null }, state: 'lost' },
  {
    name: '0 of another container',
    status: { phase: 'Succeeded', containerStatuses: [{ name: 'sidecar', state: { terminated: { exitCode: 0 } } }] },
    state: 'lost',
  },
]

for (const { name, status, metadata, state } of ends) {
  t.test(`exit: ${name}`, async t => {
    const worker = parseWorker(podOf(status, metadata))
    t.match(worker, { name: 'p', uid: 'pu', nodeName: 'n1', nodeUid: 'u1', attempt: 2, failures: 1, state })
    t.equal(worker?.endedMs === undefined, state === 'waiting' || state === 'running')
  })
}

t.test('the time of its end is not before it was made', async t => {
  const at = (finishedAt: string) =>
    parseWorker(
      podOf({
        phase: 'Failed',
        containerStatuses: [{ name: 'verify', state: { terminated: { exitCode: 1, reason: 'Error', finishedAt } } }],
      }),
    )?.endedMs
  t.equal(at(ended), Date.parse(ended))
  t.equal(at('2020-01-01T00:00:00Z'), Date.parse(made))
  t.equal(at('junk'), Date.parse(made))
})

t.test('its words are kept', async t => {
  t.match(parseWorker(podOf(exit(1, 'Error')))?.words, /words/)
  t.match(parseWorker(podOf({ phase: 'Failed', reason: 'Evicted', message: 'disk' })), { words: 'Evicted: disk' })
})

const strangers = [
  { name: 'null', body: null },
  { name: 'no labels', body: podOf({}, { labels: {} }) },
  { name: 'another app', body: podOf({}, { labels: { ...labels, 'app.kubernetes.io/name': 'x' } }) },
  { name: 'no attempt', body: podOf({}, { labels: { ...labels, 'nopal.io/attempt': '' } }) },
  { name: 'attempt 0', body: podOf({}, { labels: { ...labels, 'nopal.io/attempt': '0' } }) },
  { name: 'attempt -1', body: podOf({}, { labels: { ...labels, 'nopal.io/attempt': '-1' } }) },
  { name: 'failures that are none', body: podOf({}, { labels: { ...labels, 'nopal.io/failures': 'many' } }) },
  { name: 'no time', body: podOf({}, { creationTimestamp: 'yesterday' }) },
]

for (const { name, body } of strangers)
  t.test(`not a worker: ${name}`, async t => t.equal(parseWorker(body), undefined))
