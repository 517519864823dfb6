/** A host as it stands in a URL: an IPv6 address in brackets. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** `host:port` as people and URLs write it. */
export function formatHostPort(host: string, port: number | string): string {
  return `${bracketed(host)}:${port}`
}
