import type { BuildOptions, Plugin } from 'esbuild'

/** File beside the agent's bundle with what it takes of `@kubernetes/client-node`. */
export const clientNodeFile = 'client-node.js'

/** Leaves the package out of the agent's bundle: whoever has no kubeconfig that needs it does not load it. */
export const besideTheAgent: Plugin = {
  name: 'client-node beside the agent',
  setup(build) {
    build.onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({ path: `./${clientNodeFile}`, external: true }))
  },
}

/**
 * Of the package only what reads a kubeconfig's user and proxy. Its own HTTP client, the API's models and OpenID are
 * never called, and would take 20 MB of memory.
 */
const withoutClient: Plugin = {
  name: 'no client',
  setup(build) {
    build.onResolve({ filter: /^(undici|openid-client|jsonpath-plus|\.\/gen\/.*)$/ }, ({ path }) => ({
      path,
      namespace: 'left out',
    }))
    build.onLoad({ filter: /.*/, namespace: 'left out' }, () => ({ contents: 'module.exports = {}' }))
  },
}

/** How its bundle is made. */
export function clientNodeOptions(root: string, outfile: string): BuildOptions {
  const contents = "export { KubeConfig } from '@kubernetes/client-node/dist/config.js'"
  return { stdin: { contents, resolveDir: root }, outfile, minifySyntax: true, plugins: [withoutClient] }
}
