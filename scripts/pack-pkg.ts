// pkg's command line can only download its Node; its own SEA step takes a local one.
import sea from '@yao-pkg/pkg/lib-es5/sea.js'

/** Makes one executable of a CommonJS bundle with the Node that runs this script inside. */
export async function packWithPkg(bundle: string, output: string): Promise<void> {
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64'
  await sea.default(bundle, {
    targets: [{ platform: 'linux', arch, nodeRange: `node${process.versions.node}`, output }],
    signature: false,
    nodePath: process.execPath,
    // Without `none` it takes options of Node's from its arguments.
    seaConfig: {
      disableExperimentalSEAWarning: true,
      useCodeCache: true,
      useSnapshot: false,
      execArgvExtension: 'none',
    },
  })
}
