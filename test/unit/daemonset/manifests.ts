import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadAll } from 'js-yaml'

/** Where the manifests are. */
export const folder = join(import.meta.dirname, '../../../daemonset')

/** As much of an object as the tests of all kinds look at. */
export interface Manifest {
  readonly file: string
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [key: string]: unknown
}

/** Names of all YAML files below daemonset/ but those of the chart, which are templates, and links to these. */
export function yamlFiles(): readonly string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return names.filter(name => name.endsWith('.yaml') && !name.startsWith('chart/')).sort()
}

/** The text of a file of daemonset/. */
export function readText(file: string): string {
  return readFileSync(join(folder, file), 'utf8')
}

/** The documents of a file of daemonset/. */
export function readYaml(file: string): readonly unknown[] {
  return loadAll(readText(file)).filter(document => document !== null && document !== undefined)
}

/** Every object that `kubectl apply` sends; kustomizations and patches aside. */
export function readObjects(): readonly Manifest[] {
  const files = yamlFiles().filter(file => !/(^|\/)kustomization\.yaml$/.test(file) && file !== 'uninstall.yaml')
  return files.flatMap(file => (readYaml(file) as Manifest[]).map(object => ({ ...object, file })))
}
