import type { KubeCredentials } from './credentials.ts'
import { tokenOfKubeconfig } from './kubeconfig.ts'

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
  const { tokenFile, token, tokenIn } = credentials
  if (tokenFile !== undefined) return followFile(tokenFile, files, text => text.trim())
  if (tokenIn === undefined) return async () => token
  return followFile(tokenIn, files, text => tokenOfKubeconfig(tokenIn, text) ?? token, token)
}

/** @param known holds while the file cannot be read; undefined = then there is no token */
function followFile(
  path: string,
  files: TokenFiles,
  find: (text: string) => string | undefined,
  known?: string,
): TokenSource {
  let last: { stamp: string; token: string | undefined } | undefined
  const follow = async () => {
    const stamp = await files.stamp(path)
    if (last?.stamp !== stamp) last = { stamp, token: find(await files.read(path)) }
    return last.token
  }
  // A kubeconfig that is being written is whole again in a moment.
  return known === undefined ? follow : () => follow().catch(() => last?.token ?? known)
}
