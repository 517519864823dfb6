import type { Settings } from '../config/settings.ts'
import { accountFolder, type LoadedCredentials, loadAccount, type ReadText } from './credentials.ts'

/**
 * The kubeconfig of the settings, else the account of the pod.
 * @throws CredentialsError that names what is missing
 */
export async function loadCredentials(
  { kubeconfig, apiService }: Pick<Settings, 'kubeconfig' | 'apiService'>,
  readText: ReadText,
): Promise<LoadedCredentials> {
  const files: string[] = []
  const readNoting: ReadText = path => {
    files.push(path)
    return readText(path)
  }
  if (kubeconfig.length > 0) {
    // Inside a cluster there is none, and what reads it is not loaded.
    const { loadKubeconfig } = await import('./kubeconfig.ts')
    return { ...(await loadKubeconfig(kubeconfig, readNoting)), files }
  }
  return { credentials: loadAccount({ apiService, folder: accountFolder, readText: readNoting }), files }
}
