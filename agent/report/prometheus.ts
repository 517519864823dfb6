import type * as prom from 'prom-client'
// Each from its own file: the package's index loads its default metrics, its cluster mode, its push gateway and a tracing
// library with them, which costs every agent more than a megabyte.
import counter from 'prom-client/lib/counter.js'
import gauge from 'prom-client/lib/gauge.js'
import histogram from 'prom-client/lib/histogram.js'
import registry from 'prom-client/lib/registry.js'

export const Counter: typeof prom.Counter = counter
export type Counter = prom.Counter
export const Gauge: typeof prom.Gauge = gauge
export type Gauge = prom.Gauge
export const Histogram: typeof prom.Histogram = histogram
export type Histogram = prom.Histogram
export const Registry: typeof prom.Registry = registry
export type Registry = prom.Registry
