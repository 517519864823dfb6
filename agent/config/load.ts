import ipaddr from 'ipaddr.js'
import { formatHostPort } from '../../cni/host/host-port.ts'
import { errorCode } from '../../cni/host/system-error.ts'
import type { Environment } from '../runtime/process.ts'
import { type Check, contradictions, mustBeSet } from './checks.ts'
import { type SettingFault, SettingsError } from './faults.ts'
import { endpoint, ValueFault } from './parsers.ts'
import { environmentName, type Section, type Setting, type Values } from './setting.ts'
import type { AllValues, Endpoint, Settings } from './settings.ts'
import { configVariable, type GivenText, type GivenTexts, givenTexts, readIni, unknownVariables } from './sources.ts'
import { settingsTable } from './table.ts'

/** What the settings are read from. */
export interface SettingsInput {
  readonly env: Environment
  /** Reads a file, or throws as node:fs does. */
  readonly readFile: (path: string) => string
  /** Whether a person reads the log. */
  readonly terminal: boolean
  /** Stands in for a node name that is not set, where it need not be. */
  readonly hostname: string
  /** Whether a node name need not be set; a dry run never needs one. */
  readonly nodeNameOptional: boolean
  /** What the command asks of them besides. */
  readonly check?: Check
}

export interface LoadedSettings {
  readonly settings: Settings
  /** For the log: what was accepted and does nothing. */
  readonly warnings: readonly string[]
}

const defaultConfigPath = '/etc/nopal/nopal.ini'

/**
 * Reads, checks and freezes all settings.
 * @throws SettingsError with every fault there is
 */
export function loadSettings(input: SettingsInput): LoadedSettings {
  const faults: SettingFault[] = [...unknownVariables(input.env)]
  const file = readConfigFile(input, faults)
  const given = givenTexts(input.env, file)
  const values = readAll(createReader(given, faults), input)
  const apiService = readApiService(input.env, faults)
  faults.push(...contradictions(values, given), ...(input.check?.(given) ?? []))
  if (faults.length > 0) throw new SettingsError(faults)
  const addresses = values.verify.dnsDomains.filter(name => ipaddr.isValid(name))
  return {
    settings: deepFreeze(assemble(values, apiService, input.terminal)),
    warnings: addresses.map(
      name => `setting [verify] dns-domains: an address proves nothing about DNS, skipped (${name})`,
    ),
  }
}

function readConfigFile(input: SettingsInput, faults: SettingFault[]): ReadonlyMap<string, string> {
  const given = input.env[configVariable]
  const path = given === undefined || given === '' ? defaultConfigPath : given
  try {
    const file = readIni(input.readFile(path))
    faults.push(...file.faults)
    return file.texts
  } catch (error) {
    const absent = errorCode(error) === 'ENOENT'
    const named = given !== undefined && given !== ''
    if (!absent) faults.push({ name: configVariable, fault: 'names a file that cannot be read', value: path })
    else if (named) faults.push({ name: configVariable, fault: 'names a file that does not exist', value: path })
    return new Map()
  }
}

type Reader = (row: Setting<unknown>) => unknown

/** A row's value; undefined where a fault was noted, and then nobody gets to see the values. */
function createReader(texts: GivenTexts, faults: SettingFault[]): Reader {
  return row => {
    const given = texts.find(row) ?? fallbackOf(row)
    if (given === undefined) {
      faults.push(mustBeSet(row))
      return undefined
    }
    try {
      return row.parse(given.text)
    } catch (error) {
      if (!(error instanceof ValueFault)) throw error
      faults.push({ name: given.name, fault: error.message, value: given.text })
      return undefined
    }
  }
}

function fallbackOf(row: Setting<unknown>): GivenText | undefined {
  return row.fallback === undefined ? undefined : { name: environmentName(row), text: row.fallback }
}

function readSection<S extends Section>(read: Reader, section: S): Values<S> {
  const entries = Object.entries(section).map(([name, row]) => [name, read(row)] as const)
  // The names are those of the section and each value comes from its own row's parser.
  return Object.fromEntries(entries) as Values<S>
}

function readAll(read: Reader, input: SettingsInput): AllValues {
  const { gate, agent, ...others } = settingsTable
  const gateValues = readSection(read, gate)
  const optional = input.nodeNameOptional || gateValues.dryRun === true
  const nodeName = optional ? { ...agent.nodeName, fallback: input.hostname.toLowerCase() } : agent.nodeName
  const sections: Readonly<Record<string, Section>> = { agent: { ...agent, nodeName }, ...others }
  const entries = Object.entries(sections).map(([name, section]) => [name, readSection(read, section)] as const)
  // As for a section: the names are the table's, the values its rows'.
  return { gate: gateValues, ...Object.fromEntries(entries) } as AllValues
}

function assemble(values: AllValues, apiService: Endpoint | undefined, terminal: boolean): Settings {
  const { nodeName, podNamespace, kubeconfig, logFormat = terminal ? 'text' : 'json', ...agent } = values.agent
  const { taintKey, taintValue, taintEffect, label, labelValue, ...gate } = values.gate
  return {
    ...values,
    nodeName,
    podNamespace,
    kubeconfig,
    apiService,
    agent: { ...agent, logFormat },
    verify: { ...values.verify, dnsDomains: values.verify.dnsDomains.filter(name => !ipaddr.isValid(name)) },
    gate: {
      ...gate,
      taint: { key: taintKey, value: taintValue, effect: taintEffect },
      label: { key: label, value: labelValue },
    },
  }
}

/** kubelet sets both; a port that is missing is the seed's 443. */
function readApiService(env: Environment, faults: SettingFault[]): Endpoint | undefined {
  const host = env.KUBERNETES_SERVICE_HOST ?? ''
  if (host === '') return undefined
  const value = formatHostPort(host, env.KUBERNETES_SERVICE_PORT || '443')
  try {
    return endpoint(value)
  } catch (error) {
    if (!(error instanceof ValueFault)) throw error
    faults.push({ name: 'KUBERNETES_SERVICE_HOST', fault: error.message, value })
    return undefined
  }
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) deepFreeze(part)
  return Object.freeze(value)
}
