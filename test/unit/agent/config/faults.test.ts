import t from 'tap'
import { needsNetmaker, needsPool, wholeNetmaker } from '../../../../agent/config/checks.ts'
import { SettingsError } from '../../../../agent/config/faults.ts'
import { createRandom } from '../verify/seeded-random.ts'
import { type Given, load } from './given.ts'

function faultsOf(given: Given): string {
  try {
    load(given)
    return ''
  } catch (error) {
    if (error instanceof SettingsError) return error.message
    throw error
  }
}

interface FaultCase extends Given {
  readonly name: string
  /** The whole message, line by line. */
  readonly want: readonly string[]
}

const faultCases: readonly FaultCase[] = [
  {
    name: 'no node name',
    env: { NODE_NAME: '' },
    want: ['nopal: setting NODE_NAME: must be set (in nopal.ini: [agent] node-name)'],
  },
  {
    name: 'a bad duration',
    env: { CHECK_TIMEOUT: 'soon' },
    want: ['nopal: setting CHECK_TIMEOUT: is not a duration like 500ms, 2s or 5m (soon)'],
  },
  {
    name: 'a URL with a user name and a password in it',
    env: { NETMAKER_API_URL: 'https://me:hush@api.example.test' },
    want: ['nopal: setting NETMAKER_API_URL: has a user name in it (hidden)'],
  },
  {
    name: 'a URL with a token in its query',
    env: { NETMAKER_API_URL: 'https://api.example.test/?token=hush' },
    want: ['nopal: setting NETMAKER_API_URL: has more than a host and a path (hidden)'],
  },
  {
    name: 'a negative duration',
    env: { INITIAL_TIMEOUT: '-5s' },
    want: ['nopal: setting INITIAL_TIMEOUT: is not a duration like 500ms, 2s or 5m (-5s)'],
  },
  {
    name: 'a duration no timer can hold',
    env: { NOPAL_VERIFY_INTERVAL: '1000h' },
    want: ['nopal: setting NOPAL_VERIFY_INTERVAL: is longer than 24 days (1000h)'],
  },
  {
    name: 'a zero limit',
    env: { CHECK_TIMEOUT: '0' },
    want: ['nopal: setting CHECK_TIMEOUT: is shorter than 1ms (0)'],
  },
  {
    name: 'an unknown key of the file',
    ini: '[verify]\ncheck-timeouts = 5s',
    want: ['nopal: setting [verify] check-timeouts: unknown key (5s)'],
  },
  { name: 'an unknown section', ini: '[verfy]\nx = 1', want: ['nopal: setting [verfy]: unknown section'] },
  {
    name: 'a section of a section',
    ini: '[verify.dns]\nx = 1',
    want: ['nopal: setting [verify.dns]: unknown section'],
  },
  { name: 'a key before any section', ini: 'listen = :1', want: ['nopal: setting listen: stands in no section (:1)'] },
  {
    name: 'a key of the file in the spelling of the environment',
    ini: '[verify]\ncheck_timeout = 5s',
    want: ['nopal: setting [verify] check_timeout: unknown key (5s)'],
  },
  {
    name: 'an array in the file',
    ini: '[verify]\ntcp[] = a:1\ntcp[] = b:2',
    want: ['nopal: setting [verify] tcp: is given as an array, not as a comma separated list (a:1,b:2)'],
  },
  {
    name: 'an unknown name of ours',
    env: { NOPAL_VERIFY_CHECKTIMEOUT: '5s' },
    want: ['nopal: setting NOPAL_VERIFY_CHECKTIMEOUT: unknown name (5s)'],
  },
  {
    name: 'a secret under an unknown name stays hidden',
    env: { NOPAL_NETMAKER_PASSWORT: 'hunter2' },
    want: ['nopal: setting NOPAL_NETMAKER_PASSWORT: unknown name (hidden)'],
  },
  {
    name: 'a file that is not there',
    env: { NOPAL_CONFIG: '/nowhere/x.ini' },
    want: ['nopal: setting NOPAL_CONFIG: names a file that does not exist (/nowhere/x.ini)'],
  },
  {
    name: 'a file that may not be read',
    env: { NOPAL_CONFIG: '/locked/x.ini' },
    want: ['nopal: setting NOPAL_CONFIG: names a file that cannot be read (/locked/x.ini)'],
  },
  {
    name: 'a line break in a value stays on one line',
    env: { LOG_LEVEL: 'in\nfo' },
    want: ['nopal: setting LOG_LEVEL: is none of debug, info, warn, error (in\\u000afo)'],
  },
  {
    name: 'an endless value is cut',
    env: { LOG_LEVEL: 'x'.repeat(1000) },
    want: [`nopal: setting LOG_LEVEL: is none of debug, info, warn, error (${'x'.repeat(200)}...)`],
  },
  {
    name: 'a bad port of the API service',
    env: { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: 'https' },
    want: ['nopal: setting KUBERNETES_SERVICE_HOST: is not host:port (10.96.0.1:https)'],
  },
  {
    name: 'all faults at once, in the order unknown names, file, values',
    env: { NODE_NAME: 'N_1', NOPAL_X: '1', RETRY_BACKOFF: 'often', TAINT_EFFECT: 'NoRun' },
    ini: '[nope]\na=1\n[install]\ncni-bin-dir = opt/cni',
    want: [
      'nopal: setting NOPAL_X: unknown name (1)',
      'nopal: setting [nope]: unknown section',
      'nopal: setting TAINT_EFFECT: is none of NoSchedule, PreferNoSchedule, NoExecute (NoRun)',
      'nopal: setting NODE_NAME: is not a valid object name (N_1)',
      'nopal: setting RETRY_BACKOFF: is none of exponential, linear (often)',
      'nopal: setting [install] cni-bin-dir: is not an absolute path (opt/cni)',
    ],
  },
]

for (const row of faultCases) {
  t.test(row.name, async t => {
    t.equal(faultsOf(row), row.want.join('\n'))
  })
}

t.test('random files are read or refused, never anything else', async t => {
  const parts = [
    '[',
    ']',
    'verify',
    'agent',
    '.',
    '=',
    'listen',
    'tcp',
    '[]',
    ';',
    '#',
    '"',
    '\\',
    '\n',
    '\n',
    ' ',
    '__proto__',
    'é',
    '\0',
  ]
  const faults: string[] = []
  for (let seed = 1; seed <= 1000; seed++) {
    const random = createRandom(seed)
    const ini = Array.from({ length: random(25) }, () => parts[random(parts.length)]).join('')
    try {
      load({ ini })
    } catch (error) {
      if (!(error instanceof SettingsError)) faults.push(`seed ${seed}: ${String(error)}`)
      else if (!error.message.split('\n').every(line => line.startsWith('nopal: setting ')))
        faults.push(`seed ${seed}: ${error.message}`)
    }
  }
  t.strictSame(faults, [])
})

const must = (name: string, key: string) => `nopal: setting ${name}: must be set (in nopal.ini: [netmaker] ${key})`
const mustUser = must('NETMAKER_USERNAME', 'username')
const mustPassword = must('NETMAKER_PASSWORD', 'password')

t.test('half of an access to Netmaker', async t => {
  const url = { NETMAKER_API_URL: 'https://api.example.test' }
  const faults = (env: Readonly<Record<string, string>>, ini = '') =>
    faultsOf({ env, ini, check: wholeNetmaker }).split('\n')
  t.same(faults(url), [mustUser, mustPassword])
  t.same(faults({ ...url, NETMAKER_USERNAME: 'u' }), [mustPassword])
  t.same(faults({ ...url, NETMAKER_USERNAME: 'u', NETMAKER_PASSWORD_FILE: '/p' }), [''])
  t.same(faults({ NETMAKER_USERNAME: 'u' }), [''], 'not asked for')
  t.same(faults({}, '[netmaker]\napi-url = https://api.example.test\nusername = u\npassword = p'), [''])
  t.same(faultsOf({ env: url }), '', 'an agent, which shares the file, needs none of it')
})

t.test('what a command cannot work without is told beside all else that is wrong', async t => {
  const env = { CHECK_TIMEOUT: 'soon', NOPAL_VERIFY_TPC: 'a:1' }
  const others = [
    'nopal: setting NOPAL_VERIFY_TPC: unknown name (a:1)',
    'nopal: setting CHECK_TIMEOUT: is not a duration like 500ms, 2s or 5m (soon)',
  ]
  const mustUrl = must('NETMAKER_API_URL', 'api-url')
  t.same(faultsOf({ env, check: needsNetmaker }).split('\n'), [...others, mustUrl, mustUser, mustPassword])
  const token = 'nopal: setting CANADA_KAKTUS_HCLOUD_TOKEN: must be set (in nopal.ini: [pool] hcloud-token)'
  t.same(faultsOf({ env, check: needsPool }).split('\n'), [...others, token])
  t.same(faultsOf({ env: { NOPAL_POOL_CONFIG_FILE: '/c.json' }, check: needsPool }), '')
})

t.test('failed nodes are deleted only where workers say that they have failed', async t => {
  const fault = 'must not be true without [remedy] workers: nobody says which nodes have failed (true)'
  const ini = '[remedy]\ndelete-failed-nodes = true'
  t.same(faultsOf({ ini }), `nopal: setting [remedy] delete-failed-nodes: ${fault}`)
  const name = 'NOPAL_REMEDY_DELETE_FAILED_NODES'
  t.same(faultsOf({ env: { [name]: 'True' } }), `nopal: setting ${name}: ${fault.replace('(true', '(True')}`)
  t.same(faultsOf({ ini: `${ini}\nworkers = true` }), '')
  t.same(faultsOf({ ini: '[remedy]\ndelete-failed-nodes = false' }), '')
})
