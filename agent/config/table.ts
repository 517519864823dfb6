import { agent } from './sections/agent.ts'
import { gate } from './sections/gate.ts'
import { install } from './sections/install.ts'
import { leader } from './sections/leader.ts'
import { netmaker } from './sections/netmaker.ts'
import { podagent } from './sections/podagent.ts'
import { pool } from './sections/pool.ts'
import { remedy } from './sections/remedy.ts'
import { verify } from './sections/verify.ts'
import { wireguard } from './sections/wireguard.ts'
import type { Setting } from './setting.ts'

/** Every setting, by section, in the order of README. A new section is a file and a line here; its types follow. */
export const settingsTable = { agent, verify, gate, wireguard, install, podagent, leader, netmaker, pool, remedy }

/** All settings in the order of the table. */
export function allSettings(): readonly Setting<unknown>[] {
  return Object.values(settingsTable).flatMap(section => Object.values<Setting<unknown>>(section))
}
