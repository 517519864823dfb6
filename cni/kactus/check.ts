import type { Attachment, ContainerRecord } from '../networks/record.ts'
import { checkChain } from '../spec/chain.ts'
import { CniCode, CniError } from '../spec/errors.ts'
import { placeOf } from './attach.ts'
import { type Call, locked } from './call.ts'
import { titleOf } from './plan.ts'
import { networkOf } from './pod-args.ts'
import { attachmentOf, endingWith } from './scope.ts'

/**
 * Asks every delegate of a container, or that of one network, whether what it made is still as it was, each with its own
 * result.
 * @throws CniError the first failure
 */
export async function check(call: Call): Promise<undefined> {
  const { conf, request, store } = call
  if (conf.prevResult === undefined) {
    throw new CniError(CniCode.InvalidNetworkConfig, 'CHECK needs the "prevResult" of the ADD')
  }
  await locked(call, async () => {
    const record = await store.read(request.containerId)
    const attachments = record === undefined ? [] : meant(call, record)
    if (attachments.length === 0) {
      const message = `container ${request.containerId} has no ${request.ifname} of network ${conf.name}`
      throw new CniError(CniCode.UnknownContainer, message)
    }
    for (const attachment of attachments) await checkOne(call, attachment)
  })
}

/** All that came with the runtime's interface, or the one network that is named. */
function meant({ conf, request }: Call, record: ContainerRecord): readonly Attachment[] {
  const network = networkOf(request.args)
  const scope = { conf: conf.name, ifname: request.ifname }
  if (network !== undefined) {
    const found = attachmentOf(record, scope, network)
    return found === undefined ? [] : [found]
  }
  const all = endingWith(record, scope)
  return all.some(({ isPrimary, owner }) => isPrimary && owner === request.ifname) ? all : []
}

async function checkOne(call: Call, attachment: Attachment): Promise<void> {
  const { runner, request } = call
  const { status, result, list } = attachment
  if (status !== 'added' || result === undefined) {
    throw new CniError(CniCode.UnknownContainer, `${titleOf(attachment)} is not attached: an ADD or DEL was broken off`)
  }
  await checkChain(runner, list, placeOf(attachment, request.containerId, request.netns), result)
}
