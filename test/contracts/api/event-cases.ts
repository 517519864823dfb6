import { coreEvents, get, newerEvents, patchMerge, post, refusal } from './requests.ts'
import type { ContractCase } from './step.ts'

function event(id: string, name: object): object {
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: name,
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'nopal',
    reportingInstance: id,
    action: 'Verify',
    reason: 'NetworkVerified',
    regarding: { apiVersion: 'v1', kind: 'Node', name: id, uid: '5d1c3a0e-0000-4000-8000-000000000000' },
    note: 'all checks passed',
    type: 'Normal',
  }
}

/** Events, of the newer kind and of the older: both are views of the same objects. */
export const eventCases: readonly ContractCase[] = [
  {
    name: 'an event of the newer kind is seen through the older',
    steps: id => [
      {
        send: post(newerEvents, event(id, { name: `${id}.1` })),
        code: 201,
        body: { apiVersion: 'events.k8s.io/v1', kind: 'Event', note: 'all checks passed', regarding: { name: id } },
      },
      {
        send: get(`${coreEvents}/${id}.1`),
        code: 200,
        body: {
          apiVersion: 'v1',
          involvedObject: { kind: 'Node', name: id },
          message: 'all checks passed',
          reason: 'NetworkVerified',
          reportingComponent: 'nopal',
          reportingInstance: id,
          action: 'Verify',
        },
        absent: ['note', 'regarding'],
      },
      {
        send: get(`${coreEvents}?fieldSelector=involvedObject.name%3D${id},reason%3DNetworkVerified`),
        code: 200,
        body: { kind: 'EventList', items: [{ metadata: { name: `${id}.1` } }] },
      },
    ],
  },
  {
    name: 'the same event again: its series is patched',
    steps: id => [
      { send: post(newerEvents, event(id, { name: `${id}.1` })), code: 201 },
      {
        send: patchMerge(`${newerEvents}/${id}.1`, {
          series: { count: 2, lastObservedTime: '2026-01-01T00:01:00.000000Z' },
        }),
        code: 200,
        body: { series: { count: 2, lastObservedTime: '2026-01-01T00:01:00.000000Z' }, note: 'all checks passed' },
      },
    ],
  },
  {
    name: 'an event of the older kind is seen through the newer',
    steps: id => [
      {
        send: post(coreEvents, {
          metadata: { name: `${id}.1` },
          involvedObject: { kind: 'Node', name: id },
          reason: 'Old',
          message: 'said so',
          type: 'Normal',
          source: { component: 'kubelet' },
          firstTimestamp: '2026-01-01T00:00:00Z',
          count: 1,
        }),
        code: 201,
        body: { lastTimestamp: null, eventTime: null, reportingComponent: '', reportingInstance: '' },
      },
      {
        send: get(`${newerEvents}/${id}.1`),
        code: 200,
        body: {
          note: 'said so',
          regarding: { name: id },
          deprecatedSource: { component: 'kubelet' },
          deprecatedCount: 1,
          eventTime: null,
        },
        absent: ['message', 'reportingController'],
      },
    ],
  },
  {
    name: 'generateName must itself be a name',
    steps: id => [
      { send: post(newerEvents, event(id, { generateName: `${id}-` })), code: 201 },
      {
        send: post(newerEvents, event(id, { generateName: `${id}.` })),
        code: 422,
        body: { ...refusal(422, 'Invalid', 'metadata.generateName: Invalid value'), details: { kind: 'Event' } },
        absent: ['details.group'],
      },
    ],
  },
  {
    name: 'an event of the newer kind says who reports what, when',
    steps: id =>
      ['eventTime', 'reportingController', 'reportingInstance', 'action', 'reason', 'type'].map(field => ({
        send: post(newerEvents, { ...event(id, { name: `${id}.${field.toLowerCase()}` }), [field]: undefined }),
        code: 422,
        body: { code: 422, reason: 'Invalid', message: new RegExp(`is invalid: .*${field}: `) },
      })),
  },
]
