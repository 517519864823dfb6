import { isIP } from 'node:net'
import { basename, join } from 'node:path'
import * as v from 'valibot'
import { parseYaml } from '../../../cni/host/yaml.ts'
import type { ClusterDns } from './cluster-dns.ts'

/** The host's files, by the paths they have there. Both throw as node:fs does. */
export interface HostFiles {
  read(path: string): Promise<string>
  list(folder: string): Promise<readonly string[]>
  /** Whether a process is known to be another machine's, by its network namespace; a container may not be told. */
  isElsewhere(pid: string): Promise<boolean>
}

const address = v.pipe(
  v.string(),
  v.check(text => isIP(text) !== 0),
)
/** A part that is none of it, or empty, tells nothing. */
const configShape = v.object({
  clusterDNS: v.fallback(v.optional(v.pipe(v.array(address), v.minLength(1))), undefined),
  clusterDomain: v.fallback(v.optional(v.pipe(v.string(), v.minLength(1))), undefined),
})

type Told = v.InferOutput<typeof configShape>

/**
 * Reads what kubelet tells pods of DNS, as kubelet itself reads it: its configuration, the drop-ins of that, its command
 * line, the later over the earlier. Where it does not run, the configuration lies at its usual place. Never throws.
 * @param kubeletDir on the host
 */
export async function readKubeletDns(files: HostFiles, kubeletDir: string): Promise<ClusterDns> {
  const flags = await findFlags(files)
  const main = flags.get('config') ?? join(kubeletDir, 'config.yaml')
  const paths = [main, join(kubeletDir, 'instance-config.yaml'), ...(await dropIns(files, flags.get('config-dir')))]
  const told = [...(await Promise.all(paths.map(path => readConfig(files, path)))), toldBy(flags)]
  const servers = told.findLast(each => each.clusterDNS !== undefined)?.clusterDNS ?? []
  return {
    domain: told.findLast(each => each.clusterDomain !== undefined)?.clusterDomain,
    servers: [...new Set(servers)],
  }
}

async function readConfig(files: HostFiles, path: string): Promise<Told> {
  try {
    const parsed = v.safeParse(configShape, parseYaml(await files.read(path)))
    return parsed.success ? parsed.output : {}
  } catch {
    // Not there, not ours to read, or half written: another source may know.
    return {}
  }
}

async function dropIns(files: HostFiles, folder: string | undefined): Promise<readonly string[]> {
  if (folder === undefined) return []
  const names = await files.list(folder).catch(() => [])
  return names
    .filter(name => name.endsWith('.conf'))
    .toSorted()
    .map(name => join(folder, name))
}

type Flags = ReadonlyMap<string, string>

function toldBy(flags: Flags): Told {
  const parsed = v.parse(configShape, {
    clusterDNS: flags.get('cluster-dns')?.split(','),
    clusterDomain: flags.get('cluster-domain'),
  })
  return parsed
}

/** The flags of the kubelet that runs on the host; none where there is none. */
async function findFlags(files: HostFiles): Promise<Flags> {
  const pids = (await files.list('/proc').catch(() => [])).filter(name => /^\d+$/.test(name))
  for (const pid of pids) {
    const words = (await files.read(`/proc/${pid}/cmdline`).catch(() => '')).split('\0')
    if (basename(words[0] ?? '') === 'kubelet' && !(await files.isElsewhere(pid))) return parseFlags(words.slice(1))
  }
  return new Map()
}

/** `--name=value` and `--name value`; one that is given again adds to a list, or replaces a value. */
export function parseFlags(words: readonly string[]): Flags {
  const flags = new Map<string, string>()
  words.forEach((word, index) => {
    const [, name, given] = /^--?([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(word) ?? []
    if (name === undefined) return
    const value = given ?? words[index + 1] ?? ''
    const before = name === 'cluster-dns' ? flags.get(name) : undefined
    flags.set(name, before === undefined ? value : `${before},${value}`)
  })
  return flags
}
