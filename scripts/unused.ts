import { dirname, join, relative } from 'node:path'
import { type Node, SyntaxKind } from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/sync'

/** A name that a file declares: an export, or a member of a type or class. */
interface Declared {
  readonly name: string
  /** The type or class it is a member of. */
  readonly owner?: string
  readonly isType: boolean
}

/** What matters of a file: what it offers, and what it takes. */
interface Sight {
  readonly file: string
  readonly exports: Declared[]
  readonly members: Declared[]
  /** Each name that stands in it, once for each time. */
  readonly words: string[]
  /** Names of members that it reads; a text may be such a name too. */
  readonly reads: Set<string>
  /** `FILE NAME` of what it imports. */
  readonly imports: Set<string>
  /** Files of which it may take anything that it reads. */
  readonly wholes: string[]
}

/** Types whose members somebody else reads: an engine, the API server, a reader of logs. */
const readElsewhere = ['BunEngine', 'BunFetchOptions', 'BunSpawnOptions', 'JsonPatchStep', 'LogFacts']

const declarations = new Set([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.ClassDeclaration,
  SyntaxKind.VariableDeclaration,
  SyntaxKind.InterfaceDeclaration,
  SyntaxKind.TypeAliasDeclaration,
])
const types = new Set([SyntaxKind.InterfaceDeclaration, SyntaxKind.TypeAliasDeclaration])
const owners = new Set([...types, SyntaxKind.ClassDeclaration])
const members = new Set([
  SyntaxKind.PropertySignature,
  SyntaxKind.MethodSignature,
  SyntaxKind.PropertyDeclaration,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.GetAccessor,
])

/**
 * Finds what nobody needs in the sources of a checkout: exports that no other file imports (a type may be named by what
 * its own file exports), exports that tests alone use, members whose name is read nowhere.
 * @param root folder with tsconfig.json and the sources in agent/, cni/, scripts/ and test/
 * @returns a sentence each
 */
export function findUnused(root: string): readonly string[] {
  const api = new API({ cwd: root })
  try {
    const [project] = api.updateSnapshot({ openProjects: [join(root, 'tsconfig.json')] }).getProjects()
    const sights: Sight[] = []
    for (const path of project?.program.getSourceFileNames() ?? []) {
      const file = relative(root, path)
      const source = /^(?:agent|cni|scripts|test)\//.test(file) && project?.program.getSourceFile(path)
      if (source) sights.push(see(source, file))
    }
    return [...judgeExports(sights), ...judgeMembers(sights)]
  } finally {
    api.close()
  }
}

function see(source: Node, file: string): Sight {
  const sight: Sight = { file, exports: [], members: [], words: [], reads: new Set(), imports: new Set(), wholes: [] }
  look(source, sight, { owner: '', isExported: false })
  return sight
}

interface Place {
  readonly owner: string
  readonly isExported: boolean
}

function look(node: Node, sight: Sight, place: Place): void {
  const name = textOf(field(node, 'name'))
  const isExported = place.isExported || hasExport(node)
  if (node.kind === SyntaxKind.Identifier) sight.words.push(textOf(node) ?? '')
  if (isExported && name !== undefined && declarations.has(node.kind))
    sight.exports.push({ name, isType: types.has(node.kind) })
  if (name !== undefined && members.has(node.kind)) sight.members.push({ name, owner: place.owner, isType: false })
  noteReads(node, name, sight)
  noteImports(node, sight)
  const owner = owners.has(node.kind) ? (name ?? '') : place.owner
  // Only the declarations of an exported statement are exported, not what is inside them.
  const passes = node.kind === SyntaxKind.VariableStatement || node.kind === SyntaxKind.VariableDeclarationList
  node.forEachChild(child => look(child, sight, { owner, isExported: passes && isExported }))
}

function noteReads(node: Node, name: string | undefined, { reads }: Sight): void {
  if (node.kind === SyntaxKind.BindingElement) reads.add(textOf(field(node, 'propertyName')) ?? name ?? '')
  if (node.kind === SyntaxKind.PropertyAccessExpression) reads.add(name ?? '')
  if (node.kind === SyntaxKind.QualifiedName) reads.add(textOf(field(node, 'right')) ?? '')
  if (node.kind === SyntaxKind.StringLiteral) reads.add(textOf(node) ?? '')
}

function noteImports(node: Node, sight: Sight): void {
  const from = textOf(field(node, 'moduleSpecifier')) ?? dynamicImport(node)
  if (from === undefined || !from.startsWith('.')) return
  const file = join(dirname(sight.file), from)
  const specifiers: string[] = []
  const collect = (inner: Node): void => {
    const isSpecifier = inner.kind === SyntaxKind.ImportSpecifier || inner.kind === SyntaxKind.ExportSpecifier
    if (isSpecifier) specifiers.push(textOf(field(inner, 'propertyName')) ?? textOf(field(inner, 'name')) ?? '')
    inner.forEachChild(collect)
  }
  node.forEachChild(collect)
  for (const name of specifiers) sight.imports.add(`${file} ${name}`)
  if (specifiers.length === 0) sight.wholes.push(file)
}

/** The text of `import('./x.ts')`. */
function dynamicImport(node: Node): string | undefined {
  if (node.kind !== SyntaxKind.CallExpression) return undefined
  const callee = field(node, 'expression') as Node | undefined
  const [first] = (field(node, 'arguments') ?? []) as readonly Node[]
  return callee?.kind === SyntaxKind.ImportKeyword ? textOf(first) : undefined
}

function judgeExports(sights: readonly Sight[]): readonly string[] {
  const imports = (taker: Sight, file: string, name: string) =>
    taker.imports.has(`${file} ${name}`) || (taker.wholes.includes(file) && taker.reads.has(name))
  return sights.flatMap(({ file, exports, words }) =>
    exports.flatMap(({ name, isType }) => {
      const takers = sights.filter(taker => taker.file !== file && imports(taker, file, name))
      const isUsedAtHome = words.filter(word => word === name).length > 1
      if (takers.length === 0 && !(isType && isUsedAtHome)) return [`${file}: ${name} is exported for nobody`]
      const isForTests =
        !file.startsWith('test/') && takers.length > 0 && takers.every(taker => taker.file.startsWith('test/'))
      return isForTests && !isUsedAtHome ? [`${file}: ${name} is used by tests alone`] : []
    }),
  )
}

function judgeMembers(sights: readonly Sight[]): readonly string[] {
  const sources = sights.filter(({ file }) => !file.startsWith('test/'))
  const read = new Set(sources.flatMap(({ reads }) => [...reads]))
  // What scripts and tests declare are often the shapes of formats and of other programs.
  const own = sources.filter(({ file }) => !file.startsWith('scripts/'))
  const unread = own.flatMap(({ file, members }) =>
    members.filter(({ name }) => !name.startsWith('#') && !read.has(name)).map(member => ({ file, ...member })),
  )
  const stale = readElsewhere.filter(owner => !unread.some(member => member.owner === owner))
  return [
    ...unread
      .filter(({ owner = '' }) => !readElsewhere.includes(owner))
      .map(({ file, owner, name }) => `${file}: ${owner}.${name} is never read`),
    ...stale.map(owner => `scripts/unused.ts: ${owner} has no member that is read elsewhere alone`),
  ]
}

function hasExport(node: Node): boolean {
  const modifiers = (field(node, 'modifiers') ?? []) as Iterable<Node>
  return [...modifiers].some(({ kind }) => kind === SyntaxKind.ExportKeyword)
}

function field(node: Node, name: string): unknown {
  return (node as unknown as Readonly<Record<string, unknown>>)[name]
}

function textOf(node: unknown): string | undefined {
  return typeof node === 'object' && node !== null && 'text' in node && typeof node.text === 'string'
    ? node.text
    : undefined
}

if (import.meta.main) {
  const unused = findUnused(join(import.meta.dirname, '..'))
  for (const sentence of unused) process.stdout.write(`${sentence}\n`)
  process.exitCode = unused.length > 0 ? 1 : 0
}
