/** IP can say no more, though an interface may: that of loopback does. */
export const largestPacket = 65_535

/** Headers of IP and UDP. */
const headers = { v4: 28, v6: 48 } as const

/** Bytes of a datagram that fills a packet of so many. */
export function payloadOf(address: string, packetBytes: number): number {
  return packetBytes - (address.includes(':') ? headers.v6 : headers.v4)
}
