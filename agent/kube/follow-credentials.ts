import type { KubeCredentials, LoadedCredentials } from './credentials.ts'

/** The way to the API server as it is at the moment: tokens, client certificates and authorities are renewed. */
export interface CredentialsSource {
  /** What was read last. */
  last(): KubeCredentials
  /** What holds now. Never throws: while a file is missing or half written, what was known holds. */
  current(): Promise<KubeCredentials>
}

export interface FollowOptions {
  /** @throws CredentialsError */
  load(): LoadedCredentials | Promise<LoadedCredentials>
  /** Something that changes when the file is replaced or written; throws while it is not there. */
  stamp(path: string): Promise<string>
}

/**
 * Reads credentials, and reads them again when one of their files has changed. Whoever renews them swaps a link or writes
 * a file, so the files are looked at before each request (a stat each).
 * @throws CredentialsError where they cannot be read the first time
 */
export async function followCredentials({ load, stamp }: FollowOptions): Promise<CredentialsSource> {
  let known = await load()
  let seen: string | undefined
  let looking: Promise<void> | undefined
  const look = async () => {
    // Taken before the reading, so that what is written meanwhile differs from it.
    const now = await stampAll(known.files, stamp)
    if (now === seen) {
      if (known.renew !== undefined) known = { ...known, credentials: await known.renew() }
      return
    }
    known = await load()
    seen = now
  }
  return {
    last: () => known.credentials,
    async current() {
      looking ??= look().finally(() => {
        looking = undefined
      })
      // What cannot be read now is whole again in a moment: the next request tries again.
      await looking.catch(() => undefined)
      return known.credentials
    },
  }
}

/** Credentials that nobody renews. */
export function fixedCredentials(credentials: KubeCredentials): CredentialsSource {
  return { last: () => credentials, current: async () => credentials }
}

async function stampAll(files: readonly string[], stamp: FollowOptions['stamp']): Promise<string> {
  const stamps = await Promise.all(files.map(file => stamp(file).catch(() => 'missing')))
  return files.map((file, index) => `${file} ${stamps[index]}`).join('\n')
}
