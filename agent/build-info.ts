import { join } from 'node:path'

/** Put in by the build; absent where the source runs as it is. */
declare const NOPAL_VERSION: string | undefined

const built = typeof NOPAL_VERSION === 'string'

/** The version of the package, or that this is the source itself. */
export const version: string = built ? NOPAL_VERSION : '0.0.0-source'

/** The kactus executable that belongs to this agent: beside the bundle, or where the build leaves it. */
export const kactusBinary: string = built
  ? join(import.meta.dirname, 'kactus')
  : join(import.meta.dirname, '../dist/kactus')
