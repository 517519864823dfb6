import t from 'tap'
import { SettingsError } from '../../../../agent/config/faults.ts'
import { netmakerAccess } from '../../../../agent/config/netmaker-access.ts'
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
  { name: 'no node name', env: { NODE_NAME: '' }, want: ['nopal: setting NODE_NAME: must be set'] },
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

t.test('half of an access to Netmaker', async t => {
  const url = { NETMAKER_API_URL: 'https://api.example.test' }
  const faultsOfAccess = (env: Readonly<Record<string, string>>) => {
    try {
      return netmakerAccess(load({ env }).settings.netmaker)
    } catch (error) {
      return error instanceof SettingsError ? error.message.split('\n') : error
    }
  }
  const must = (name: string) => `nopal: setting ${name}: must be set with NETMAKER_API_URL`
  t.same(faultsOfAccess(url), [must('NETMAKER_USERNAME'), must('NETMAKER_PASSWORD')])
  t.same(faultsOfAccess({ ...url, NETMAKER_USERNAME: 'u' }), [must('NETMAKER_PASSWORD')])
  t.match(faultsOfAccess({ ...url, NETMAKER_USERNAME: 'u', NETMAKER_PASSWORD_FILE: '/p' }), { passwordFile: '/p' })
  t.equal(faultsOfAccess({ NETMAKER_USERNAME: 'u' }), undefined, 'not asked for')
})
