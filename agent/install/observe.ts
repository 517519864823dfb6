import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { messageOf, orMissing } from '../../cni/host/system-error.ts'
import { type ConfFile, type NetworkFile, readConfFolder } from '../../cni/spec/conf-folder.ts'
import type { InstallSettings } from '../config/settings.ts'
import { followLinks } from '../runtime/host-root.ts'
import { leadsToKactus } from './leads-to-kactus.ts'
import { confName, earlyConfName, type InstallPaths } from './paths.ts'
import type { DefaultNetwork, Observed, OwnConf } from './plan.ts'

/** Where the files are, for us and for the host. */
export interface HostPlace {
  readonly paths: Pick<InstallPaths, 'confFolder' | 'conf' | 'earlyConf' | 'kubeconfig'>
  readonly settings: Pick<InstallSettings, 'cniConfDir' | 'hostRoot'>
}

/** Reads the host's files, all but the executable. */
export async function observeFiles(place: HostPlace): Promise<Omit<Observed, 'binary'>> {
  const { paths } = place
  const [found, conf, earlyConf, kubeconfig] = await Promise.all([
    findDefaultNetwork(place),
    readOwnConf(paths.conf),
    readOwnConf(paths.earlyConf),
    readIfPrivate(paths.kubeconfig),
  ])
  return { ...found, conf, earlyConf, kubeconfig }
}

/** The first network of a folder that is neither ours nor leads to us, and what was passed over for good, and why. */
export async function findDefaultNetwork(place: HostPlace): Promise<Pick<Observed, 'defaultNetwork' | 'passedOver'>> {
  const { paths, settings } = place
  const all = await Array.fromAsync(readConfFolder(paths.confFolder, followLinks(settings.hostRoot)))
  const files = all.filter(({ path }) => ![confName, earlyConfName].includes(basename(path)))
  const networks = files.filter(file => file.kind === 'network')
  const back = new Set<ConfFile>(networks.filter(each => leadsToKactus(each, networks, settings.cniConfDir)))
  const first = files.find(file => !back.has(file) && file.kind !== 'refused')
  const chosen = files.find(file => (file.kind === 'network' && !back.has(file)) || file.kind === 'unreadable')
  return {
    passedOver: files.flatMap(file => {
      if (file.kind === 'refused')
        return [`${basename(file.path)} is no configuration to any runtime: it ${file.error.message}`]
      return back.has(file) ? [`${basename(file.path)} leads back to kactus and is not wrapped`] : []
    }),
    defaultNetwork: await defaultOf(chosen, basename(first?.path ?? '')),
  }
}

async function defaultOf(file: ConfFile | undefined, first: string): Promise<DefaultNetwork> {
  if (file?.kind === 'network') {
    const { path, list } = file
    return { kind: 'found', path, list, first, mode: await modeFor(file) }
  }
  // Half-written more often than broken, and the one the node means: wrapping the next would be a guess.
  if (file?.kind === 'unreadable') return { kind: 'unreadable', path: file.path, message: messageOf(file.error) }
  return { kind: 'none' }
}

const [ofGroup, ofOthers] = [0o040, 0o004]

/** Ours holds what those files hold, so nobody gets to read it who cannot read them all. */
async function modeFor({ sources }: NetworkFile): Promise<number> {
  const facts = await Promise.all(sources.map(source => stat(source)))
  const may = (bit: number) => facts.every(({ mode }) => (mode & bit) !== 0)
  if (may(ofOthers)) return 0o644
  const ourGroup = process.getgid?.() ?? 0
  return may(ofGroup) && facts.every(({ gid }) => gid === ourGroup) ? 0o640 : 0o600
}

async function readOwnConf(path: string): Promise<OwnConf | undefined> {
  const text = await readFile(path, 'utf8').catch(orMissing)
  return text === undefined ? undefined : { text, mode: (await stat(path)).mode & 0o777 }
}

async function readIfPrivate(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(orMissing)
  if (text === undefined) return undefined
  const { mode } = await stat(path)
  return (mode & 0o077) === 0 ? text : undefined
}
