import { CniError } from '../../../cni/spec/errors.ts'
import type { Json } from '../../../cni/spec/json.ts'
import type { PluginCall, PluginRunner } from '../../../cni/spec/plugin.ts'

/** Answers a call of a plugin; throwing is failing. */
export type PluginScript = (call: PluginCall) => Json | undefined | Promise<Json | undefined>

/** Plugins that do as a test says, and note every call. */
export class FakeRunner implements PluginRunner {
  readonly calls: PluginCall[] = []
  readonly missing = new Set<string>()
  readonly #script: PluginScript

  /** @param script what plugins answer; unless told, an ADD gives one interface with one address */
  constructor(script: PluginScript = answerOf) {
    this.#script = script
  }

  async find(type: string): Promise<string> {
    if (this.missing.has(type)) throw new CniError(106, `plugin ${type} is not installed`)
    return `/opt/cni/bin/${type}`
  }

  async run(call: PluginCall): Promise<Json | undefined> {
    this.calls.push(call)
    return this.#script(call)
  }

  /** The calls in short: `ADD bridge eth0`. */
  get trace(): readonly string[] {
    return this.calls.map(({ command, type, variables }) => `${command} ${type} ${variables.CNI_IFNAME ?? ''}`.trim())
  }
}

/** What a plugin that is well says. */
export function answerOf({ command, config, variables }: PluginCall): Json | undefined {
  if (command !== 'ADD') return undefined
  return config.prevResult ?? { interfaces: [{ name: variables.CNI_IFNAME ?? '' }], ips: [{ address: '10.1.0.2/24' }] }
}

/** Lets some calls, written as in a trace, fail with a code; the others are well. */
export function failing(faults: Readonly<Record<string, number>>): PluginScript {
  return call => {
    const name = `${call.command} ${call.type} ${call.variables.CNI_IFNAME ?? ''}`.trim()
    const code = faults[name]
    if (code !== undefined) throw new CniError(code, `${name} as ordered`)
    return answerOf(call)
  }
}
