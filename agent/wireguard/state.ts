import type { DeviceView } from './classify.ts'
import type { DeviceReading } from './device.ts'
import type { Held, Incident } from './heal-plan.ts'
import type { MeshMap } from './mesh-map.ts'

/** The newest that is known of this node's part in the mesh. */
export interface MeshState {
  readonly devices: readonly DeviceView[]
  readonly readings: readonly DeviceReading[]
  readonly map: MeshMap
  /** Endpoints that were wrong and are not proved to be right again, by device and key. */
  readonly incidents: ReadonlyMap<string, Incident>
  /** Why wrong endpoints are left as they are for now. */
  readonly held: readonly Held[]
}
