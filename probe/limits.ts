/** Deadlines and bounds of a probe. Times are milliseconds. */

export const DEADLINE = 10_000;

/** Longest time of each stage; their sum is cut off at the deadline of the whole. */
export const STAGE = {
  connect: 4_000,
  banner: 5_000,
  keyExchange: 6_000,
  login: 6_000,
  answer: 10_000,
} as const;

/** Hosts at the same time, from the dial to the end of the script. */
export const PARALLEL = 64;

/** A host that has not said anything after this time waits on without a slot of those. */
export const PATIENCE = 1_500;

/**
 * Handshakes at the same time, for each core of this machine. One costs some 5 ms of this process and waits
 * for a handful of round trips: fewer would leave the cores idle, many more would make each other late.
 */
export const HANDSHAKES_PER_CORE = 16;

/** Pause between two dials of one gateway. */
export const GATEWAY_PAUSE = 150;

/** Pause before the second try where sshd hung up at once, as it does under MaxStartups. */
export const RETRY_PAUSE = 700;

/** Bytes of output kept; a host that sends more is cut off. */
export const OUTPUT_BYTES = 512 * 1024;
export const ERROR_BYTES = 4 * 1024;
