import { until } from '../machine/wait.ts'
import { askAgent } from './gate-bed.ts'
import type { Lab } from './lab.ts'
import type { LabNode } from './node.ts'
import { ask } from './objects.ts'
import type { VerdictCheck, VerdictDocument } from './verify-bed.ts'

/** A NodeNetwork, as far as these tests read it. */
export interface PublishedNetwork {
  readonly spec: { readonly podAddresses?: readonly string[] }
  readonly status?: { readonly egress?: { readonly peers: number; readonly routed: number } }
}

/** Questions about pods of one node and of another, to agents that run. */
export interface PodsBed {
  network(name: string): Promise<PublishedNetwork>
  /** Where a node's standing sandbox is, once it is published. */
  untilPublished(node: LabNode): Promise<readonly string[]>
  /** Results of one check in a node's newest verdict, in short: `n1 to n2 pass`. */
  checks(node: LabNode, code: string): Promise<readonly string[]>
  untilChecks(node: LabNode, code: string, wanted: readonly string[]): Promise<readonly VerdictCheck[]>
  untilPods(node: LabNode, wanted: readonly string[]): Promise<readonly VerdictCheck[]>
  /** What `nopal status` prints. */
  status(node: LabNode): Promise<string>
}

export function podsBed(lab: Lab): PodsBed {
  const network = async (name: string) =>
    (await ask(lab.api, { method: 'GET', path: `/apis/nopal.io/v1alpha1/nodenetworks/${name}` }).catch(() => ({
      spec: {},
    }))) as PublishedNetwork
  const untilChecks = async (node: LabNode, code: string, wanted: readonly string[]) => {
    let found: readonly VerdictCheck[] = []
    const isSo = async () => {
      found = await checksOf(node, code)
      return inShort(found).join() === wanted.join()
    }
    await until(`${code} of ${node.name} to be ${wanted.join(', ')}`, isSo, { limitMs: 60_000 }).catch(error => {
      throw new Error(`${error.message}; it is ${JSON.stringify(found)}`, { cause: error })
    })
    return found
  }
  return {
    network,
    untilPublished: node =>
      until(`the standing sandbox of ${node.name}`, async () => {
        const { podAddresses = [] } = (await network(node.name)).spec
        return podAddresses.length > 0 && podAddresses
      }),
    checks: async (node, code) => inShort(await checksOf(node, code)),
    untilChecks,
    untilPods: (node, wanted) => untilChecks(node, 'pods', wanted),
    status: async node => (await lab.run.exec([node.nopalScript, 'status'])).stdout,
  }
}

async function checksOf(node: LabNode, code: string): Promise<readonly VerdictCheck[]> {
  const { text } = await askAgent(node, '/status.json')
  const { verdict } = JSON.parse(text || '{}') as { verdict?: VerdictDocument | null }
  return verdict?.checks.filter(each => each.code === code) ?? []
}

function inShort(checks: readonly VerdictCheck[]): readonly string[] {
  return checks.map(({ target, result }) => `${target} ${result}`).sort()
}
