import type { Test } from 'tap'
import type { LeaderBed } from '../leader/bed.ts'
import { type Environment, type RunningLeader, startLeader as startProcess } from '../leader/process.ts'

/** Seconds where a cluster has minutes. */
const quick = {
  NOPAL_REMEDY_WORKERS: 'true',
  NOPAL_REMEDY_DEADLINE: '1s',
  NOPAL_REMEDY_IMAGE: 'localhost/nopal',
  NOPAL_REMEDY_MAX_RETRIES: '1',
  NOPAL_REMEDY_DELETE_INTERVAL: '1s',
}

export const deleting = { NOPAL_REMEDY_DELETE_FAILED_NODES: 'true' }

/** `nopal lead` with remedy; ends with the test. */
export function startLeader(t: Test, { kubeconfig }: LeaderBed, env: Environment = {}): Promise<RunningLeader> {
  return startProcess(t, { KUBECONFIG: kubeconfig, ...quick, ...env })
}
