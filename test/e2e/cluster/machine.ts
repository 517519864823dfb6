import { readCgroupMounts } from '../../machine/cgroups.ts'
import { Group } from '../../machine/group.ts'
import { type Anchor, Machine, startAnchor } from '../../machine/machine.ts'
import type { ClusterPlan } from './plan.ts'

/** A machine of a cluster; it outlives the process that started it. */
export class ClusterMachine extends Machine {
  readonly group: Group

  private constructor(group: Group, hostName: string, anchor: Anchor) {
    super(group, hostName, anchor)
    this.group = group
  }

  static async start(cluster: ClusterPlan, name: string, mountScript = ''): Promise<ClusterMachine> {
    const group = groupOf(cluster, name)
    await group.make()
    return new ClusterMachine(group, name, await startAnchor(group, name, mountScript))
  }

  /** Finds a machine that another process started. */
  static open(cluster: ClusterPlan, name: string): ClusterMachine {
    const group = groupOf(cluster, name)
    return new ClusterMachine(group, name, { pid: group.pidOf('anchor'), running: true })
  }
}

function groupOf(cluster: ClusterPlan, name: string): Group {
  return new Group({
    name: cluster.machineName(name),
    folder: cluster.machineFolder(name),
    cgroups: readCgroupMounts(),
  })
}
