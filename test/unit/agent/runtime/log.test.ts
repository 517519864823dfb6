import t from 'tap'
import { CredentialsError } from '../../../../agent/kube/credentials.ts'
import { createLogger, type LogFields } from '../../../../agent/runtime/log.ts'

function logged(format: 'json' | 'text', fields: LogFields, message = 'hello'): string {
  const lines: string[] = []
  const log = createLogger({
    level: 'info',
    format,
    output: { write: (line: string) => lines.push(line) },
    base: { node: 'n1' },
  })
  log.debug({}, 'not shown')
  log.child({ part: 'test' }).info(fields, message)
  return lines.join('')
}

t.test('json lines', async t => {
  const { time, ...line } = JSON.parse(logged('json', { count: 3 }))
  t.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  t.same(line, { level: 'info', node: 'n1', part: 'test', count: 3, msg: 'hello' })
})

t.test('no key twice: what a line says of another node stands for itself', async t => {
  const text = logged('json', { node: 'n2' })
  t.equal(text.match(/"node":/g)?.length, 1)
  t.equal(JSON.parse(text).node, 'n2')
})

t.test('secrets', async t => {
  const text = logged('json', { token: 's3', user: { password: 's3', deep: { authorization: 's3' } }, name: 'kept' })
  t.notMatch(text, 's3')
  t.match(text, 'kept')
})

t.test('errors carry code and causes, a stack only where they have no code', async t => {
  const err = new CredentialsError('FileMissing', 'no such file: /x', new Error('inner'))
  const { err: fields } = JSON.parse(logged('json', { err }))
  t.match(fields, {
    name: 'CredentialsError',
    code: 'FileMissing',
    message: 'no such file: /x',
    cause: { message: 'inner' },
  })
  t.notOk('stack' in fields)
  t.ok('stack' in fields.cause)
})

interface TextCase {
  readonly name: string
  readonly fields: LogFields
  readonly want: string
}

const textCases: readonly TextCase[] = [
  { name: 'no fields', fields: {}, want: 'info  hello  part=test\n' },
  { name: 'plain words and numbers', fields: { a: 1, b: 'x/y' }, want: 'info  hello  part=test a=1 b=x/y\n' },
  {
    name: 'text that would run into the next field',
    fields: { a: 'x b=2\n' },
    want: 'info  hello  part=test a="x b=2\\n"\n',
  },
  { name: 'an error', fields: { err: new Error('bad luck') }, want: 'info  hello  part=test err="bad luck"\n' },
  { name: 'an object', fields: { a: { b: [1] } }, want: 'info  hello  part=test a={"b":[1]}\n' },
]

for (const row of textCases) {
  t.test(`text: ${row.name}`, async t => {
    const line = logged('text', row.fields)
    t.match(line, /^\d\d:\d\d:\d\d /)
    t.equal(line.slice(9), row.want)
  })
}
