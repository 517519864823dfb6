import type { Json } from './state.ts'

const kinds: Readonly<Record<string, string>> = {
  id: 'string',
  name: 'string',
  network: 'string',
  description: 'string',
  range: 'string',
  domain: 'string',
  mode: 'string',
  nat: 'bool',
  status: 'bool',
  is_internet_gateway: 'bool',
}

/** The body of an egress request as Go's decoder takes it: the object, or what it says is wrong. */
export function readRequest(text: string, version: string): { readonly body: Json } | { readonly fault: string } {
  if (text.trim() === '') return { fault: 'EOF' }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { fault: 'unexpected EOF' }
  }
  if (value === null) return { body: {} }
  if (Array.isArray(value)) return { fault: 'json: cannot unmarshal array into Go value of type models.EgressReq' }
  if (typeof value !== 'object') return { fault: 'json: cannot unmarshal value into Go value of type models.EgressReq' }
  const body = value as Json
  const fault = findWrongType(body, version)
  return fault === undefined ? { body } : { fault }
}

function findWrongType(body: Json, version: string): string | undefined {
  for (const [field, kind] of Object.entries(kinds)) {
    const value = body[field]
    const wanted = kind === 'bool' ? 'boolean' : kind
    if (value !== undefined && value !== null && typeof value !== wanted) return cannot(value, field, kind)
  }
  return findWrongTags(body.tags, version) ?? findWrongNodes(body.nodes)
}

function findWrongTags(tags: unknown, version: string): string | undefined {
  const old = version === '0.99' || version === '1.1'
  if (tags !== undefined && tags !== null && Array.isArray(tags) !== old)
    return cannot(tags, 'tags', old ? '[]string' : 'map[string]int')
  return undefined
}

function findWrongNodes(nodes: unknown): string | undefined {
  if (nodes === undefined || nodes === null) return undefined
  if (Array.isArray(nodes) || typeof nodes !== 'object') return cannot(nodes, 'nodes', 'map[string]int')
  const wrong = Object.values(nodes).find(metric => metric !== null && !Number.isInteger(metric))
  return wrong === undefined ? undefined : cannot(wrong, 'nodes', 'int')
}

function cannot(value: unknown, field: string, type: string): string {
  return `json: cannot unmarshal ${nameOf(value)} into Go struct field EgressReq.${field} of type ${type}`
}

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'number' : `number ${value}`
  return typeof value === 'boolean' ? 'bool' : typeof value
}
