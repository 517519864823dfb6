import { type FSWatcher, watch } from 'node:fs'
import { stat } from 'node:fs/promises'

/** Tells of changes in folders, also when one comes late or is made anew. */
export interface FolderWatch {
  /** Watches these and no others from now on; those that are not there are tried again with the next call. */
  ensure(folders: readonly string[]): Promise<void>
}

interface Watched {
  readonly watcher: FSWatcher
  readonly inode: bigint
}

/** Where the kernel has no watch left nothing is told: the caller looks now and then anyway. */
export function createFolderWatch(onChange: () => void, signal: AbortSignal): FolderWatch {
  const watched = new Map<string, Watched>()
  const stop = (folder: string) => {
    watched.get(folder)?.watcher.close()
    watched.delete(folder)
  }
  signal.addEventListener('abort', () => [...watched.keys()].forEach(stop), { once: true })
  const ensureOne = async (folder: string) => {
    const inode = await inodeOf(folder)
    if (signal.aborted || watched.get(folder)?.inode === inode) return
    stop(folder)
    if (inode === undefined) return
    const watcher = startWatch(folder, onChange, () => stop(folder))
    if (watcher !== undefined) watched.set(folder, { watcher, inode })
  }
  return {
    async ensure(folders) {
      for (const folder of watched.keys()) if (!folders.includes(folder)) stop(folder)
      await Promise.all(folders.map(ensureOne))
    },
  }
}

function startWatch(folder: string, onChange: () => void, onEnd: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, () => onChange())
    watcher.on('error', onEnd)
    return watcher
  } catch {
    return undefined
  }
}

async function inodeOf(folder: string): Promise<bigint | undefined> {
  try {
    const facts = await stat(folder, { bigint: true })
    return facts.isDirectory() ? facts.ino : undefined
  } catch {
    return undefined
  }
}
