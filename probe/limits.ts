/** Deadlines and bounds of a probe. Times are milliseconds. */

export const DEADLINE = 10_000;

/**
 * Longest time of each stage; their sum is cut off at the deadline of the whole. A host that is gone costs the run
 * no more than its first stages: `connect` lets three SYNs through (Linux sends them after 0, 1 and 3 s, the next one
 * only after 7 s), and where nobody answers ARP the kernel itself gives up after 3 s.
 */
export const STAGE = {
  connect: 4_000,
  banner: 5_000,
  keyExchange: 6_000,
  login: 6_000,
  answer: 10_000,
} as const;

/** Dials at the same time, and scripts at the same time. */
export const PARALLEL = 64;

/**
 * How long each may keep others waiting at most. A host that stalls goes on without its place then, or a few of them would
 * hold up all others: the whole probe has to end by the deadline, not only each host's.
 */
export const LEASE = { dial: 1_500, handshake: 3_000, script: 3_000 } as const;

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
