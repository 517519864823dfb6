import type { Agent } from 'node:http'
import { join } from 'node:path'
import { CodedError } from '../../cni/host/coded-error.ts'
import { formatHostPort } from '../../cni/host/host-port.ts'
import type { KubeLogin } from '../../cni/host/kubeconfig.ts'
import { errorCode } from '../../cni/host/system-error.ts'
import type { Endpoint } from '../config/settings.ts'

/** How the agent reaches the API server and who it is there. */
export interface KubeCredentials extends KubeLogin {
  readonly source: 'kubeconfig' | 'in-cluster'
  /** `https://HOST:PORT`, with a path where the API lives below one; no slash at the end. */
  readonly server: string
  /** undefined = straight to the server. */
  readonly proxy?: KubeProxy | undefined
}

/** A way to the server through a proxy. */
export interface KubeProxy {
  readonly url: string
  /** Makes connections that end at the server; TLS goes through it. */
  readonly agent: Agent
}

/** No way to the API server: which file is missing, or what is wrong in it. */
export class CredentialsError extends CodedError<
  'NoCredentials' | 'FileMissing' | 'FileUnreadable' | 'BadKubeconfig' | 'LoginFailed'
> {
  override readonly name = 'CredentialsError'
}

/** Credentials as they were read, and the files that they came from. */
export interface LoadedCredentials {
  readonly credentials: KubeCredentials
  readonly files: readonly string[]
  /**
   * What holds now, where that may run out although no file changes. undefined = it does not.
   * @throws CredentialsError
   */
  readonly renew?: () => Promise<KubeCredentials>
}

/** Reads a text file, or throws as node:fs does. */
export type ReadText = (path: string) => string

/** Reads a file; a fault names it by `what`. */
export function readNamed(path: string, what: string, readText: ReadText): string {
  try {
    return readText(path)
  } catch (error) {
    const absent = errorCode(error) === 'ENOENT'
    if (absent) throw new CredentialsError('FileMissing', `${what} does not exist`, error)
    throw new CredentialsError('FileUnreadable', `${what} cannot be read`, error)
  }
}

/** Where kubelet mounts the account of a pod. */
export const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

/** What the in-cluster account is read from. */
export interface AccountSource {
  /** KUBERNETES_SERVICE_HOST and _PORT. */
  readonly apiService: Endpoint | undefined
  readonly folder: string
  readonly readText: ReadText
}

/**
 * Reads the account that kubelet gives to a pod.
 * @throws CredentialsError that names what is missing
 */
export function loadAccount({ apiService, folder, readText }: AccountSource): KubeCredentials {
  if (apiService === undefined) {
    throw new CredentialsError(
      'NoCredentials',
      'no kubeconfig is set (KUBECONFIG) and this is no pod (KUBERNETES_SERVICE_HOST is not set)',
    )
  }
  const { host, port } = apiService
  const tokenFile = join(folder, 'token')
  const token = readNamed(tokenFile, `the token of the pod's account, ${tokenFile},`, readText).trim()
  const caFile = join(folder, 'ca.crt')
  return {
    source: 'in-cluster',
    server: `https://${formatHostPort(host, port)}`,
    caPem: readNamed(caFile, `the CA of the pod's account, ${caFile},`, readText),
    tlsServerName: undefined,
    insecure: false,
    token,
    clientCertPem: undefined,
    clientKeyPem: undefined,
  }
}
