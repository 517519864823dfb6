/** How one spec ended. */
export interface SpecResult {
  readonly name: string
  readonly passed: boolean
  readonly seconds: number
  /** Why it did not pass; empty where it did. */
  readonly why: string
}

/** What the suite found. */
export interface SuiteResult {
  /** Those that were begun, in the order in which the suite lists them. */
  readonly specs: readonly SpecResult[]
  /** What went wrong beside them: the suite's own set-up, an interruption, not the expected number of specs. */
  readonly faults: readonly string[]
}

/** As much as is read here of what ginkgo writes with --json-report: one suite. */
interface Suite {
  readonly SuiteSucceeded: boolean
  readonly SpecialSuiteFailureReasons: readonly string[] | null
  readonly SpecReports: readonly Spec[] | null
}

interface Spec {
  readonly LeafNodeType: string
  readonly LeafNodeText: string
  readonly ContainerHierarchyTexts: readonly string[] | null
  readonly State: string
  /** 0 of those that the focus left out. */
  readonly NumAttempts: number
  /** In nanoseconds. */
  readonly RunTime: number
  readonly Failure?: { readonly Message?: string }
}

/**
 * Reads ginkgo's report. A spec that was begun and skipped has not passed: a promise of the network that nobody asked for.
 * @param text the report; one that is no report is a fault
 * @param expected how many specs there have to be
 */
export function readReport(text: string, expected: number): SuiteResult {
  const suite = parse(text)
  if (suite === undefined) return { specs: [], faults: ['the suite has left no report'] }
  const reports = suite.SpecReports ?? []
  const specs = reports
    .filter(({ LeafNodeType, NumAttempts }) => LeafNodeType === 'It' && NumAttempts > 0)
    .map(toResult)
  const around = reports.filter(({ LeafNodeType, State }) => LeafNodeType !== 'It' && State !== 'passed')
  const faults = [
    ...(suite.SpecialSuiteFailureReasons ?? []),
    ...around.map(spec => `${spec.LeafNodeType}: ${whyOf(spec)}`),
    ...(specs.length === expected ? [] : [`${specs.length} specs were run, not ${expected}`]),
  ]
  const isSilent = !suite.SuiteSucceeded && faults.length === 0 && specs.every(({ passed }) => passed)
  return { specs, faults: isSilent ? ['the suite has failed and does not say why'] : faults }
}

function parse(text: string): Suite | undefined {
  try {
    const [suite] = JSON.parse(text) as readonly Suite[]
    return suite
  } catch {
    return undefined
  }
}

function toResult(spec: Spec): SpecResult {
  const passed = spec.State === 'passed'
  const name = [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(' ')
  return { name, passed, seconds: spec.RunTime / 1e9, why: passed ? '' : whyOf(spec) }
}

function whyOf({ State, Failure }: Spec): string {
  return `${State}: ${Failure?.Message ?? 'no message'}`
}
