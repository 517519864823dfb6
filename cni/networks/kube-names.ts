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

/** Ethernet, EUI-64, InfiniBand. */
const MAC_BYTES = [6, 8, 20]
/** As Go reads them: pairs of digits with colons or dashes, groups of four with dots. */
const MAC_FORMS = [/^[0-9a-f]{2}(:[0-9a-f]{2})+$/, /^[0-9a-f]{2}(-[0-9a-f]{2})+$/, /^[0-9a-f]{4}(\.[0-9a-f]{4})+$/]

/** A hardware address that an interface can have, in small letters with colons; undefined = it is none. */
export function macFrom(value: unknown): string | undefined {
  const text = typeof value === 'string' && !value.endsWith('\n') ? value.toLowerCase() : ''
  if (!MAC_FORMS.some(form => form.test(text))) return undefined
  const bytes = text.replaceAll(/[^0-9a-f]/g, '').match(/../g) ?? []
  // The first bit says that an address is a group's; one of InfiniBand begins with flags of another meaning.
  const isGroup = bytes.length < 20 && Number.parseInt(bytes[0] ?? '', 16) % 2 === 1
  const isMac = MAC_BYTES.includes(bytes.length) && !isGroup && bytes.some(byte => byte !== '00')
  return isMac ? bytes.join(':') : undefined
}
