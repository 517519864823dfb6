import * as parse from '../parsers.ts'
import { section } from '../setting.ts'

/** The mesh: what is looked at and what is done about it. */
export const wireguard = section('wireguard', {
  heal: {
    fallback: 'off',
    parse: parse.oneOf('off', 'observe', 'heal'),
    describe: 'What to do about a wrong endpoint: nothing, report it, or put it right.',
  },
  interfaces: {
    parse: parse.list(parse.interfaceName),
    describe: 'WireGuard interfaces to look at. Empty: all.',
  },
  endpoint: {
    parse: parse.orNothing(parse.address),
    describe: 'Address at which others reach this node, where it cannot be found. Empty: it is found.',
  },
  expectExternal: {
    fallback: 'true',
    parse: parse.bool,
    describe: 'Whether peers are expected at public addresses.',
  },
  prevent: {
    fallback: 'false',
    parse: parse.bool,
    describe: "Whether a packet filter keeps this node's WireGuard from talking to pods' addresses.",
  },
})
