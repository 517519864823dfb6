import { get, node, nodes, patchMerge, post, refusal } from './requests.ts'
import { type ContractCase, type Step, textAt, valueAt } from './step.ts'

/** `metadata.name` of every item of a list. */
function names(body: unknown): unknown[] {
  const items = valueAt(body, 'items')
  return Array.isArray(items) ? items.map(item => valueAt(item, 'metadata.name')) : []
}

function selected(id: string, more = ''): string {
  return `${nodes}?labelSelector=${encodeURIComponent(`run=${id}${more === '' ? '' : `,${more}`}`)}`
}

const three = (id: string) => [
  { send: post(nodes, node(`${id}-a`, { labels: { run: id, size: 'small', odd: '' } })), code: 201 },
  { send: post(nodes, node(`${id}-b`, { labels: { run: id, size: 'big' } })), code: 201 },
  { send: post(nodes, node(`${id}-c`, { labels: { run: id } })), code: 201 },
]

interface SelectorRow {
  readonly selector: string
  readonly found: string
}

const selectors: readonly SelectorRow[] = [
  { selector: '', found: 'abc' },
  { selector: 'size=small', found: 'a' },
  { selector: 'size==small', found: 'a' },
  { selector: 'size!=small', found: 'bc' },
  { selector: 'size', found: 'ab' },
  { selector: '!size', found: 'c' },
  { selector: 'size in (small, big)', found: 'ab' },
  { selector: 'size notin (small)', found: 'bc' },
  { selector: 'odd=', found: 'a' },
  { selector: 'odd', found: 'a' },
  { selector: 'size in (small,big),!odd', found: 'b' },
]

/** Lists: selectors, pages, versions. */
export const listCases: readonly ContractCase[] = [
  {
    name: 'label selectors',
    steps: id => [
      ...three(id),
      ...selectors.map(
        ({ selector, found }): Step => ({
          send: get(selected(id, selector)),
          code: 200,
          body: { kind: 'NodeList', apiVersion: 'v1', metadata: { resourceVersion: /^\d+$/ } },
          also: (t, body) =>
            t.same(
              names(body),
              [...found].map(letter => `${id}-${letter}`),
              `"${selector}"`,
            ),
        }),
      ),
    ],
  },
  {
    name: 'selectors that cannot be read',
    steps: () => [
      {
        send: get(`${nodes}?labelSelector=a%20in%20b`),
        code: 400,
        body: refusal(400, 'BadRequest', 'unable to parse'),
      },
      {
        send: get(`${nodes}?fieldSelector=nonsense%3Dx`),
        code: 400,
        body: refusal(400, 'BadRequest', 'field label not supported: nonsense'),
      },
      { send: get(`${nodes}?fieldSelector=nonsense`), code: 400, body: { reason: 'BadRequest' } },
    ],
  },
  {
    name: 'one object by its name; items of a built-in list do not say their kind',
    steps: id => [
      ...three(id),
      {
        send: get(`${nodes}?fieldSelector=metadata.name%3D${id}-b`),
        code: 200,
        also: (t, body) => t.same(names(body), [`${id}-b`]),
        absent: ['items.0.kind', 'items.0.apiVersion', 'metadata.continue'],
      },
      { send: get(`${nodes}?fieldSelector=metadata.name%3Dnone-${id}`), code: 200, body: { items: [] } },
    ],
  },
  {
    name: 'pages show one moment',
    steps: id => [
      ...three(id),
      {
        send: get(`${selected(id)}&limit=2`),
        code: 200,
        body: { metadata: { continue: String } },
        also: (t, body) => t.same(names(body), [`${id}-a`, `${id}-b`]),
      },
      { send: patchMerge(`${nodes}/${id}-c`, { metadata: { labels: { late: 'yes' } } }), code: 200 },
      { send: post(nodes, node(`${id}-d`, { labels: { run: id } })), code: 201 },
      {
        send: answers =>
          get(`${selected(id)}&limit=2&continue=${encodeURIComponent(textAt(answers[3], 'metadata.continue'))}`),
        code: 200,
        absent: ['metadata.continue', 'items.0.metadata.labels.late'],
        also: (t, body, answers) => {
          t.same(names(body), [`${id}-c`])
          t.equal(valueAt(body, 'metadata.resourceVersion'), textAt(answers[3], 'metadata.resourceVersion'))
        },
      },
    ],
  },
  {
    name: 'how many are left is said where nothing is selected',
    steps: id => [
      ...three(id),
      { send: get(`${nodes}?limit=1`), code: 200, body: { metadata: { remainingItemCount: Number } } },
      { send: get(`${selected(id)}&limit=1`), code: 200, absent: ['metadata.remainingItemCount'] },
    ],
  },
  {
    name: 'a page token that is none',
    steps: () => [
      {
        send: get(`${nodes}?limit=1&continue=nonsense`),
        code: 400,
        body: refusal(400, 'BadRequest', 'invalid continue token'),
      },
    ],
  },
  {
    name: 'any version will do with 0; one from the future comes too early',
    steps: () => [
      { send: get(`${nodes}?resourceVersion=0`), code: 200 },
      {
        send: get(`${nodes}?resourceVersion=999999999`),
        code: 504,
        body: {
          ...refusal(504, 'Timeout', 'Too large resource version: 999999999, current: '),
          details: { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 },
        },
      },
      { send: get(`${nodes}?resourceVersion=nonsense`), code: 400, body: { reason: 'BadRequest' } },
    ],
  },
]
