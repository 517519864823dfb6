/** How the agent reaches the API server and who it is there. */
export interface KubeCredentials {
  readonly source: 'kubeconfig' | 'in-cluster'
  /** `https://HOST:PORT`, with a path where the API lives below one; no slash at the end. */
  readonly server: string
  /** PEM; undefined = the machine's own authorities. */
  readonly caPem: string | undefined
  /** The name the server's certificate must carry where it is not the server's host. */
  readonly tlsServerName: string | undefined
  /** The kubeconfig asked not to check the server's certificate. */
  readonly insecure: boolean
  /** A fixed bearer token; a token file wins over it. */
  readonly token: string | undefined
  /** Read again whenever it changes: tokens rotate. */
  readonly tokenFile: string | undefined
  readonly clientCertPem: string | undefined
  readonly clientKeyPem: string | undefined
}

/** No way to the API server: which file is missing, or what is wrong in it. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError'
  readonly code: 'NoCredentials' | 'FileMissing' | 'FileUnreadable' | 'BadKubeconfig'

  constructor(code: CredentialsError['code'], message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
