/** Container ids and network names: what may become a file name and a part of a message without further care. */
const PLAIN_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/
/** No file system takes a longer name. */
const MAX_NAME_BYTES = 255
/** The kernel's IFNAMSIZ without its closing NUL; counted in bytes. */
const MAX_INTERFACE_BYTES = 15

/** What is wrong with a container id; undefined = nothing. */
export function containerIdFault(id: string): string | undefined {
  return plainNameFault(id)
}

/** What is wrong with the name of a network configuration; undefined = nothing. */
export function networkNameFault(name: string): string | undefined {
  return plainNameFault(name)
}

/** What is wrong with the name of a network interface; undefined = nothing. */
export function interfaceNameFault(name: string): string | undefined {
  if (name === '') return 'is empty'
  if (Buffer.byteLength(name) > MAX_INTERFACE_BYTES) return `is longer than ${MAX_INTERFACE_BYTES} bytes`
  if (name === '.' || name === '..') return `is "${name}"`
  // U+0085 is white space to the kernel's users but not to JavaScript; a NUL would end the name early.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  return /[/:\s\u0085\u0000]/.test(name) ? 'has a slash, a colon or white space in it' : undefined
}

/** What is wrong with the `type` of a plugin, a bare file name to be looked up; undefined = nothing. */
export function pluginTypeFault(type: unknown): string | undefined {
  if (typeof type !== 'string') return 'is no string'
  if (type === '') return 'is empty'
  if (type === '.' || type === '..') return `is "${type}"`
  if (Buffer.byteLength(type) > MAX_NAME_BYTES) return 'is too long'
  return type.includes('/') || type.includes('\\') || type.includes('\0') ? 'is a path, not a file name' : undefined
}

function plainNameFault(name: string): string | undefined {
  if (name === '') return 'is empty'
  if (name.length > MAX_NAME_BYTES) return `is longer than ${MAX_NAME_BYTES} bytes`
  return PLAIN_NAME.test(name) && !name.endsWith('\n')
    ? undefined
    : 'must be letters, digits and "_.-", the first one a letter or digit'
}
