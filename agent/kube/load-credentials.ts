import type { Settings } from '../config/settings.ts'
import { accountFolder, type LoadedCredentials, loadAccount, type ReadText } from './credentials.ts'
import { loadKubeconfig } from './kubeconfig.ts'

/**
 * The kubeconfig of the settings, else the account of the pod.
 * @throws CredentialsError that names what is missing
 */
export function loadCredentials(
  { kubeconfig, apiService }: Pick<Settings, 'kubeconfig' | 'apiService'>,
  readText: ReadText,
): LoadedCredentials {
  const files: string[] = []
  const readNoting: ReadText = path => {
    files.push(path)
    return readText(path)
  }
  const credentials =
    kubeconfig === undefined
      ? loadAccount({ apiService, folder: accountFolder, readText: readNoting })
      : loadKubeconfig(kubeconfig, readNoting)
  return { credentials, files }
}
