declare module '@yao-pkg/pkg/lib-es5/sea.js' {
  interface SeaTarget {
    readonly platform: 'linux'
    readonly arch: 'x64' | 'arm64'
    readonly nodeRange: string
    readonly output: string
  }
  interface SeaOptions {
    readonly targets: readonly SeaTarget[]
    readonly signature: boolean
    readonly nodePath: string
    readonly seaConfig: Readonly<Record<string, boolean | string>>
  }
  const sea: { default(entry: string, options: SeaOptions): Promise<void> }
  export = sea
}
