import type { KubeCredentials } from './credentials.ts'

/** What reading a rotating token needs of the file system. */
export interface TokenFiles {
  /** Something that changes when the file is replaced or written. */
  stamp(path: string): Promise<string>
  read(path: string): Promise<string>
}

/** The bearer token of the moment; undefined = there is none (client certificate, or anonymous). */
export type TokenSource = () => Promise<string | undefined>

/**
 * Follows the token's file. kubelet swaps a link when it rotates a token, so the file is looked at before each request
 * (one stat) and read when it is another one.
 */
export function createTokenSource(credentials: KubeCredentials, files: TokenFiles): TokenSource {
  const { tokenFile, token } = credentials
  if (tokenFile === undefined) return async () => token
  let last: { stamp: string; token: string } | undefined
  return async () => {
    const stamp = await files.stamp(tokenFile)
    if (last?.stamp !== stamp) last = { stamp, token: (await files.read(tokenFile)).trim() }
    return last.token
  }
}
