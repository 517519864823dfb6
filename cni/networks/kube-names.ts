const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const MAX_LABEL = 63
const MAX_SUBDOMAIN = 253

/** Whether it can be the name of a namespace: then it is also safe in a path, a file name and CNI_ARGS. */
export function isNamespaceName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_LABEL && LABEL.test(value) && !value.endsWith('\n')
}

/** Whether it can be the name of a pod or a network object. */
export function isObjectName(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > MAX_SUBDOMAIN || value.endsWith('\n')) return false
  return value.split('.').every(part => LABEL.test(part))
}

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i

/** Whether it is a hardware address that an interface can have. */
export function isMac(value: unknown): value is string {
  if (typeof value !== 'string' || value.length !== 17 || !MAC.test(value)) return false
  const isMulticast = (Number.parseInt(value.slice(0, 2), 16) & 1) === 1
  return !isMulticast && value !== '00:00:00:00:00:00'
}
