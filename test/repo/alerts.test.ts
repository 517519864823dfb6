import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import t from 'tap'
import * as v from 'valibot'
import { createGateMetrics } from '../../agent/gate/metrics.ts'
import { createKubeMetrics } from '../../agent/kube/metrics.ts'
import { createLeadership } from '../../agent/lead/leadership.ts'
import { createLookupMetrics } from '../../agent/lookup/metrics.ts'
import { createEgressMetrics } from '../../agent/netmaker/metrics.ts'
import { createPodagentMetrics } from '../../agent/podagent/metrics.ts'
import { createPoolMetrics } from '../../agent/pool/metrics.ts'
import { createRemedyMetrics } from '../../agent/remedy/metrics.ts'
import { recordBuild } from '../../agent/report/build-metrics.ts'
import { createDutyMetrics } from '../../agent/runtime/duty-metrics.ts'
import { createMetrics, type Metrics } from '../../agent/runtime/metrics.ts'
import { checkCodes } from '../../agent/verdict/verdict.ts'
import { createVerdictMetrics } from '../../agent/verify/metrics.ts'
import type { EndpointClass } from '../../agent/wireguard/classify.ts'
import { createWireguardMetrics } from '../../agent/wireguard/metrics.ts'

/** The alerts name nothing that the two roles do not measure. */

const text = v.pipe(v.string(), v.nonEmpty())
const rule = v.strictObject({
  alert: v.pipe(text, v.regex(/^Nopal[A-Za-z]+$/)),
  expr: text,
  for: v.optional(v.pipe(text, v.regex(/^\d+[smh]$/))),
  labels: v.strictObject({ severity: v.picklist(['info', 'warning', 'critical']) }),
  annotations: v.strictObject({ summary: text, description: text }),
})
const file = v.strictObject({ groups: v.array(v.strictObject({ name: text, rules: v.array(rule) })) })
const source = readFileSync(join(import.meta.dirname, '../../docs/alerts.yaml'), 'utf8')
const rules = v.parse(file, load(source)).groups.flatMap(group => group.rules)

/** Every series of both roles, with its labels. */
function measured(): ReadonlyMap<string, readonly string[]> {
  const labelsOf = new Map<string, readonly string[]>()
  const note = (names: readonly string[], labels: readonly string[] = []) => {
    for (const name of names) labelsOf.set(name, labels)
  }
  const agent = noting(note)
  recordBuild(agent, '1.2.3')
  createVerdictMetrics(agent, 'n1')
  createGateMetrics(agent, 'n1')
  createKubeMetrics(agent)
  createLookupMetrics(agent)
  createDutyMetrics(agent)
  createWireguardMetrics(agent)
  createPodagentMetrics(agent)
  const leader = noting(note)
  createLeadership(leader)
  createEgressMetrics(leader)
  createRemedyMetrics(leader)
  createPoolMetrics(leader, 'a')
  return labelsOf
}

/** Metrics of one process, which tells of each that is made. */
function noting(note: (names: readonly string[], labels?: readonly string[]) => void): Metrics {
  const metrics = createMetrics()
  return {
    ...metrics,
    counter(name, help, labels) {
      note([name], labels)
      return metrics.counter(name, help, labels)
    },
    gauge(name, help, labels) {
      note([name], labels)
      return metrics.gauge(name, help, labels)
    },
    histogram(name, help, labels, buckets) {
      note([`${name}_sum`, `${name}_count`], labels)
      note([`${name}_bucket`], [...(labels ?? []), 'le'])
      return metrics.histogram(name, help, labels, buckets)
    },
  }
}

const classes: Record<EndpointClass, true> = {
  ...{ expected: true, lan: true, leaked: true, loop: true, nested: true, stale: true, unknown: true, none: true },
}

/** What labels of which all values are known can be. */
const values: Readonly<Record<string, readonly string[]>> = {
  class: Object.keys(classes),
  code: checkCodes,
  action: ['set', 'reset', 'lift', 'add'],
  state: ['wanted', 'present', 'held', 'noeffect'],
  outcome: ['done', 'failed', 'absent', 'refused', 'held'],
}

const series = measured()
/** What Prometheus itself adds to a series. */
const ofScrape = ['instance', 'job']

for (const { alert, expr } of rules) {
  t.test(alert, async t => {
    const named = [...expr.matchAll(/\b((?:nopal|node|kube)_\w+)(?:\{([^}]*)\})?/g)]
    t.ok(named.length > 0, 'it is about a series')
    const known = new Set(ofScrape)
    for (const [, name = '', matchers = ''] of named) {
      const labels = series.get(name)
      t.ok(labels, `${name} is measured`)
      for (const label of labels ?? []) known.add(label)
      for (const [, label = '', value = ''] of matchers.matchAll(/(\w+)[=!]~?"([^"]*)"/g)) {
        t.ok(labels?.includes(label), `${name} has the label ${label}`)
        for (const one of value.split('|')) t.ok(values[label]?.includes(one), `${label} can be ${one}`)
      }
    }
    const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, */))
    for (const label of grouped) t.ok(known.has(label), `grouped by ${label}, which there is`)
    t.equal(expr.match(/[({[]/g)?.length, expr.match(/[)}\]]/g)?.length, 'brackets')
  })
}

t.test('a label in a sentence is one that is left', async t => {
  for (const { alert, expr, annotations } of rules) {
    const left = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, */))
    const said = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label)
    t.strictSame(
      said.filter(label => !left.includes(label)),
      [],
      alert,
    )
  }
})

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[]
}

t.test('the dashboard shows nothing that is not measured', async t => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/dashboard.json'), 'utf8')
  const { panels } = JSON.parse(text) as Dashboard
  for (const { title, targets } of panels) {
    for (const { expr } of targets) {
      const named = [...expr.matchAll(/\b((?:nopal|node|kube)_\w+)(?:\{([^}]*)\})?/g)]
      t.ok(named.length > 0, `${title} is about a series`)
      for (const [, name = '', matchers = ''] of named) {
        const labels = series.get(name)
        t.ok(labels, `${title}: ${name} is measured`)
        for (const [, label = ''] of matchers.matchAll(/(\w+)[=!]~?"/g)) t.ok(labels?.includes(label), `with ${label}`)
      }
    }
  }
  t.ok(panels.length > 10)
})

t.test('each name once', async t => {
  t.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
  t.ok(rules.length >= 10)
})
