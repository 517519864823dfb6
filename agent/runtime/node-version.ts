/** As package.json says. */
const least = [22, 19] as const

/**
 * Says what is wrong with the Node.js that runs this program; undefined = it will do.
 * @param version as in `process.versions.node`
 */
export function nodeFault(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > least[0] || (major === least[0] && minor >= least[1])) return undefined
  return `Node.js ${version} is too old: nopal needs ${least.join('.')} or newer`
}
