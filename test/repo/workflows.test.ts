import { access, constants, glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { load } from 'js-yaml'
import t from 'tap'

const root = join(import.meta.dirname, '../..')

interface Step {
  readonly run?: string
  readonly uses?: string
  readonly with?: Readonly<Record<string, unknown>>
}

interface Job {
  readonly uses?: string
  readonly permissions?: object
  readonly steps?: readonly Step[]
}

interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, Job>>
}

const files = (await Array.fromAsync(glob('.github/workflows/*.yml', { cwd: root }))).sort()
const texts = await Promise.all(files.map(async file => ({ file, text: await readFile(join(root, file), 'utf8') })))
const workflows = texts.map(({ file, text }) => ({ file, text, workflow: load(text) as Workflow }))
const jobs = workflows.flatMap(({ file, workflow }) =>
  Object.entries(workflow.jobs).map(([name, job]) => ({ name: `${file}: ${name}`, job })),
)

t.test('every program of ours that a workflow runs is there, and may be run', async t => {
  const runs = jobs.flatMap(({ job }) => (job.steps ?? []).flatMap(({ run }) => run ?? []))
  const named = runs.flatMap(run => run.match(/\.\/[\w./-]+/g) ?? [])
  t.ok(named.length > 3, named.join(' '))
  for (const path of new Set(named)) await t.resolves(access(join(root, path), constants.X_OK), path)
})

t.test('what others have written is named by its commit, with its version beside it', async t => {
  const used = texts.flatMap(({ text }) =>
    [...text.matchAll(/uses: (\S+)(.*)/g)].map(([, what = '', rest]) => ({ what, rest })),
  )
  t.ok(used.length > 3)
  for (const { what, rest } of used) {
    if (what.startsWith('./')) await t.resolves(access(join(root, what)), what)
    else t.match(`${what}${rest}`, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  }
})

t.test('who runs all tests has the history, of which the release before this one is built', async t => {
  const whole = jobs.filter(({ job }) => job.steps?.some(({ run }) => run?.includes('.ci/run')))
  t.ok(whole.length > 0)
  for (const { name, job } of whole) {
    const checkout = job.steps?.find(({ uses }) => uses?.startsWith('actions/checkout@'))
    t.equal(checkout?.with?.['fetch-depth'], 0, name)
  }
})

t.test('a workflow may read, and only the job of the release more', async t => {
  for (const { file, workflow } of workflows) t.same(workflow.permissions, { contents: 'read' }, file)
  t.same(
    jobs.filter(({ job }) => job.permissions !== undefined).map(({ name }) => name),
    ['.github/workflows/release.yml: release'],
  )
})

t.test('what an event says is no part of a shell command', async t => {
  for (const { name, job } of jobs) for (const { run = '' } of job.steps ?? []) t.notMatch(run, /\$\{\{/, name)
})
