import { readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Check } from '../config/checks.ts'
import { loadSettings } from '../config/load.ts'
import type { Settings } from '../config/settings.ts'
import { createKubeClient, type KubeAnswer, type KubeClient } from '../kube/client.ts'
import { CredentialsError } from '../kube/credentials.ts'
import { type CredentialsSource, followCredentials } from '../kube/follow-credentials.ts'
import { loadCredentials } from '../kube/load-credentials.ts'
import { createLogger } from '../runtime/log.ts'
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

/**
 * What every command begins with: reads the settings and makes the logger.
 * @throws SettingsError
 */
export function start(ports: ProcessPorts, { output, ...how }: StartOptions) {
  const { env, hostname, version } = ports
  const terminal = output.isTTY === true
  const { settings, warnings } = loadSettings({ env, readFile: readText, terminal, hostname, ...how })
  const { logLevel: level, logFormat: format } = settings.agent
  const log = createLogger({ level, format, output, base: { node: settings.nodeName, version } })
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

/**
 * The same where there need not be a cluster: undefined = none is named, and why is told.
 * @throws CredentialsError where one is named and cannot be had
 */
export async function findCredentialsIfAny(
  settings: Settings,
  tell: (why: string) => void,
): Promise<CredentialsSource | undefined> {
  try {
    return await findCredentials(settings)
  } catch (error) {
    if (!(error instanceof CredentialsError) || error.code !== 'NoCredentials') throw error
    tell(error.message)
    return undefined
  }
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
