import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { inNetwork, runCommand } from '../machine/command.ts'

/** A port that nobody listened on a moment ago: for programs that cannot take port 0. Be ready to try another. */
export async function findFreePort(netns: string | undefined): Promise<number> {
  return netns === undefined ? freeHere() : freeIn(netns)
}

async function freeHere(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function freeIn(netns: string): Promise<number> {
  const script = 'const s=require("net").createServer().listen(0,()=>{console.log(s.address().port);s.close()})'
  return Number(await runCommand(inNetwork(netns, [process.execPath, '-e', script])))
}
