/** Addresses of the lab's internet: a range set aside for documentation, so it is nobody's. */
export const internet = {
  gateway: '203.0.113.1',
  controlPlane: '203.0.113.2',
  nodeAddress: (number: number) => `203.0.113.${10 + number}`,
} as const
