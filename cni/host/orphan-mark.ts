/** In the environment of every plugin we start: by it we find those that a killed run of ours has left behind. */
export const DELEGATE_MARK = 'NOPAL_KACTUS_DELEGATE'
