import { type Connection, openConnection } from './connection.ts'
import type { KubeCredentials } from './credentials.ts'

/** Gives the connection for the credentials of the moment. */
export interface FollowedConnection {
  /** @throws KubeError TLSFailed where credentials cannot be used and none could before */
  to(credentials: KubeCredentials): Connection
  close(): void
}

/**
 * Opens a connection, and another one when the server, its authorities or our certificate are others. What is under way
 * on the old one goes on there.
 */
export function followConnection(): FollowedConnection {
  let open: { readonly way: string; readonly connection: Connection } | undefined
  return {
    to(credentials) {
      const way = wayOf(credentials)
      if (open?.way === way) return open.connection
      try {
        open = { way, connection: openConnection(credentials) }
      } catch (error) {
        // A certificate whose new key is not written yet; the old pair is as good as it was.
        if (open === undefined) throw error
      }
      return open.connection
    },
    close: () => open?.connection.close(),
  }
}

/** All that a connection is made of; the token goes with each request. */
function wayOf({ source: _, token: __, proxy, ...way }: KubeCredentials): string {
  return JSON.stringify({ ...way, proxy: proxy?.url })
}
