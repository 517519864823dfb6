/** kactus' own error codes, beside those of the CNI specification. `docs/errors.md` says what to do about each. */
export const KactusCode = {
  State: 100,
  Lock: 101,
  PodNotFound: 102,
  NetworkNotFound: 103,
  LookupImpossible: 104,
  AlreadyAttached: 105,
  PluginNotFound: 106,
  PluginFailed: 107,
  OtherPod: 108,
  Devices: 109,
  NamespaceRefused: 110,
  PluginRefused: 111,
} as const
