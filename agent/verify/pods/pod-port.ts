import { errorCode, messageOf } from '../../../cni/host/system-error.ts'
import { CheckFault } from '../check.ts'
import { dialTcp } from '../dial.ts'
import { askByUdp } from '../peers/question.ts'

/** Questions that a network namespace answers without any process in it: its kernel says that nobody is there. */
export interface PodPort {
  /**
   * Connects by TCP.
   * @throws CheckFault PodsUnreachable unless the connection is refused
   */
  connect(address: string, signal: AbortSignal): Promise<void>
  /**
   * Sends a datagram of so many bytes, again if it seems lost.
   * @throws CheckFault PodsUnreachable unless it is answered by "port unreachable"
   */
  send(address: string, bytes: number, signal: AbortSignal): Promise<void>
}

/** The first of those that traceroute sends to, for the same reason: nobody listens there. */
const port = 33_434

/** Packets of the network that this process is in. */
export const podPort: PodPort = { connect, send }

async function connect(address: string, signal: AbortSignal): Promise<void> {
  try {
    await dialTcp(address, port, signal)
  } catch (error) {
    if (error instanceof CheckFault && error.code === 'Refused') return
    throw new CheckFault('PodsUnreachable', `TCP: ${messageOf(error)}`, error)
  }
  throw new CheckFault('PodsUnreachable', 'somebody else listens at that address')
}

async function send(address: string, bytes: number, signal: AbortSignal): Promise<void> {
  const datagram = Buffer.alloc(bytes)
  await askByUdp({ address, silence: 'PodsUnreachable', signal }, (socket, asking) => {
    // "Message too long" is how the kernel tells of a narrow path: the next try is cut to fit.
    const hear = (error: unknown) => {
      if (errorCode(error) === 'ECONNREFUSED') asking.answered()
    }
    socket.on('error', hear)
    // Only a connected socket is told of what comes back for it.
    socket.connect(port, address, (error?: Error) => {
      if (error !== undefined) asking.failed(new CheckFault('PodsUnreachable', `UDP: ${error.message}`, error))
      else asking.repeat(() => socket.send(datagram, hear))
    })
  })
}
