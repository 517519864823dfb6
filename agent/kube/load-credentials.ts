import type { Settings } from '../config/settings.ts'
import { accountFolder, type KubeCredentials, loadAccount, type ReadText } from './credentials.ts'
import { loadKubeconfig } from './kubeconfig.ts'

/**
 * The kubeconfig of the settings, else the account of the pod.
 * @throws CredentialsError that names what is missing
 */
export function loadCredentials(
  settings: Pick<Settings, 'kubeconfig' | 'apiService'>,
  readText: ReadText,
): KubeCredentials {
  const { kubeconfig, apiService } = settings
  if (kubeconfig !== undefined) return loadKubeconfig(kubeconfig, readText)
  return loadAccount({ apiService, folder: accountFolder, readText })
}
