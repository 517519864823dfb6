/** One lane of tests: what it runs and what it must have. */
export interface Lane {
  readonly name: string
  /** Runs with --quick: no root, seconds. */
  readonly quick: boolean
  readonly root: boolean
  /** Executables of dist/ that the tests use. */
  readonly needsBuild: boolean
  /** Names of test/cluster's Go programs that must be in the cache first, a list for each of its modules. */
  readonly programs: readonly (readonly string[])[]
  readonly work: Commands | Tests
}

/** Each command is one check: exit 0 passes. */
export interface Commands {
  readonly commands: Readonly<Record<string, readonly string[]>>
}

export interface Tests {
  readonly files: readonly string[]
  /** Test files side by side; more than the CPUs where they wait more than they work. */
  readonly jobs: number
  readonly timeoutSeconds: number
  /** Least share of lines in percent, files that no test loads included; only where coverage is measured. */
  readonly coverage?: number
}

const controlPlane = ['etcd', 'kube-apiserver']
const nodes = ['kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy', 'kubectl']
const containerd = ['containerd', 'containerd-shim-runc-v2', 'ctr']
const cniTools = ['cnitool', 'libcni-gc', 'bridge', 'host-local', 'tuning']
const specs = ['e2e.test', 'ginkgo', 'agnhost', 'portmap']

/** Stages follow each other, the cheap ones first; the tracks of a stage run side by side, the lanes of a track in turn. */
export const stages: readonly (readonly (readonly Lane[])[])[] = [
  [
    [
      {
        name: 'lint',
        quick: true,
        root: false,
        needsBuild: false,
        programs: [],
        work: {
          commands: {
            'formatting and lint': ['biome', 'check', '--error-on-warnings', '.'],
            types: ['tsc', '--noEmit'],
            'exports and members that nobody needs': ['node', 'scripts/unused.ts'],
            'shell scripts': ['sh', '-c', 'shellcheck build.sh .ci/run scripts/*.sh $(git ls-files "test/*.sh")'],
          },
        },
      },
      {
        name: 'unit',
        quick: true,
        root: false,
        needsBuild: false,
        programs: [],
        work: {
          files: ['test/unit/**/*.test.ts', 'test/repo/**/*.test.ts'],
          jobs: 3,
          timeoutSeconds: 120,
          coverage: 88,
        },
      },
      {
        name: 'page',
        quick: false,
        root: false,
        needsBuild: false,
        programs: [],
        work: { files: ['test/page/**/*.test.ts'], jobs: 1, timeoutSeconds: 600 },
      },
    ],
  ],
  // One lane at a time may have kubelets: an agent in a container takes the first that it finds.
  [
    [
      {
        name: 'contracts',
        quick: false,
        root: false,
        needsBuild: false,
        programs: [[...controlPlane, 'kubectl'], ['hcloud-read'], ['helm']],
        work: { files: ['test/contracts/**/*.test.ts', 'test/cluster/**/*.test.ts'], jobs: 3, timeoutSeconds: 600 },
      },
      {
        name: 'lab',
        quick: false,
        root: true,
        needsBuild: true,
        programs: [controlPlane, cniTools],
        work: { files: ['test/lab/**/*.test.ts'], jobs: 3, timeoutSeconds: 600 },
      },
    ],
    [
      {
        name: 'e2e',
        quick: false,
        root: true,
        needsBuild: true,
        programs: [[...controlPlane, ...nodes], ['coredns'], ['helm'], containerd],
        work: { files: ['test/e2e/**/*.test.ts'], jobs: 1, timeoutSeconds: 1800 },
      },
    ],
  ],
  [
    [
      {
        name: 'conformance',
        quick: false,
        root: true,
        needsBuild: true,
        programs: [[...controlPlane, ...nodes], ['coredns'], specs],
        work: { files: ['test/conformance/**/*.test.ts'], jobs: 1, timeoutSeconds: 1500 },
      },
    ],
  ],
]

export const lanes: readonly Lane[] = stages.flat(2)
