import { readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Check } from '../config/checks.ts'
import { type LoadedSettings, loadSettings } from '../config/load.ts'
import type { Settings } from '../config/settings.ts'
import { createKubeClient, type KubeAnswer, type KubeClient } from '../kube/client.ts'
import { type CredentialsSource, followCredentials } from '../kube/follow-credentials.ts'
import { loadCredentials } from '../kube/load-credentials.ts'
import { createLogger, type LeveledLogger } from '../runtime/log.ts'
import type { ProcessPorts, TextOutput } from '../runtime/process.ts'

const readText = (path: string) => readFileSync(path, 'utf8')

/** How a command reads its settings. */
export interface StartOptions {
  /** Whether the host's name may stand in for NODE_NAME: only where nothing is written to a Node. */
  readonly nodeNameOptional: boolean
  /** What it cannot work without. */
  readonly check?: Check
  /** Where the command logs. */
  readonly output: TextOutput
}

/** What every command begins with. */
export interface Started {
  readonly settings: Settings
  readonly log: LeveledLogger
}

/**
 * Reads the settings and makes the logger.
 * @throws SettingsError
 */
export function start(ports: ProcessPorts, options: StartOptions): Started {
  const { env, hostname, version } = ports
  const terminal = options.output.isTTY === true
  const { nodeNameOptional, check } = options
  const { settings, warnings }: LoadedSettings = loadSettings({
    env,
    readFile: readText,
    terminal,
    hostname,
    nodeNameOptional,
    ...(check !== undefined && { check }),
  })
  const { logLevel: level, logFormat: format } = settings.agent
  const log = createLogger({ level, format, output: options.output, base: { node: settings.nodeName, version } })
  for (const warning of warnings) log.warn({}, warning)
  return { settings, log }
}

/**
 * How this process gets to its API server.
 * @throws CredentialsError
 */
export function findCredentials(settings: Settings): Promise<CredentialsSource> {
  return followCredentials({
    load: () => loadCredentials(settings, readText),
    async stamp(path) {
      const { ino, mtimeNs, size } = await stat(path, { bigint: true })
      return `${ino} ${mtimeNs} ${size}`
    },
  })
}

/** The client of this process. */
export function connect(
  ports: ProcessPorts,
  credentials: CredentialsSource,
  onAnswer?: (answer: KubeAnswer) => void,
): KubeClient {
  const userAgent = `nopal/${ports.version}`
  return createKubeClient({ credentials, userAgent, ...(onAnswer === undefined ? {} : { onAnswer }) })
}
