// Each from its own file: the package's index loads its default metrics, its cluster mode, its push gateway and a tracing
// library with them, which costs every agent more than a megabyte.
import type { Counter, Gauge, Histogram } from 'prom-client'
import CounterClass from 'prom-client/lib/counter.js'
import GaugeClass from 'prom-client/lib/gauge.js'
import HistogramClass from 'prom-client/lib/histogram.js'
import Registry from 'prom-client/lib/registry.js'

/** The series of one process. Every folder makes its own; the names that others rely on are in the README's tables. */
export interface Metrics {
  /** Media type of what `render` gives. */
  readonly contentType: string
  /** Content of `/metrics`. */
  render(): Promise<string>
  counter<L extends string = never>(name: string, help: string, labelNames?: readonly L[]): Counter<L>
  gauge<L extends string = never>(name: string, help: string, labelNames?: readonly L[]): Gauge<L>
  /** @param buckets upper bounds in seconds; prom-client's own unless told */
  histogram<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    buckets?: readonly number[],
  ): Histogram<L>
}

/** An empty registry. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const common = { registers: [registry] }
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    counter: (name, help, labelNames = []) => new CounterClass({ ...common, name, help, labelNames }),
    gauge: (name, help, labelNames = []) => new GaugeClass({ ...common, name, help, labelNames }),
    histogram: (name, help, labelNames, buckets) =>
      new HistogramClass({ ...common, name, help, labelNames, ...(buckets && { buckets: [...buckets] }) }),
  }
}
