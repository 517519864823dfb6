import { type FSWatcher, watch } from 'node:fs'
import { stat } from 'node:fs/promises'

/** Tells of changes in one folder, also when the folder comes late or is made anew. */
export interface FolderWatch {
  /** Watches from now on, if the folder is there and is not watched yet. */
  ensure(): Promise<void>
}

/** Without a folder, or where the kernel has no watch left, nothing is told: the caller looks now and then anyway. */
export function createFolderWatch(folder: string, onChange: () => void, signal: AbortSignal): FolderWatch {
  let current: { watcher: FSWatcher; inode: bigint } | undefined
  const stop = () => {
    current?.watcher.close()
    current = undefined
  }
  signal.addEventListener('abort', stop, { once: true })
  return {
    async ensure() {
      const inode = await inodeOf(folder)
      if (signal.aborted || (current !== undefined && current.inode === inode)) return
      stop()
      if (inode === undefined) return
      const watcher = startWatch(folder, onChange, stop)
      if (watcher !== undefined) current = { watcher, inode }
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
