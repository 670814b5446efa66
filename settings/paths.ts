/** `p2p:paths`: nodes at one loopback address each, over whatever path works. Read from the configuration; pure. */

import { z } from "zod";
import { unknownKeys } from "./knownKeys";

export interface PathsSettings {
  /** TCP port at which a host's forwarder takes what comes from other hosts. @default 8779 */
  readonly inboundPort: number;
  /** Loopback port at which it says where it stands. @default 8778 */
  readonly adminPort: number;
  /** The tailnet's SOCKS5 proxy where there is no TUN device. @default 127.0.0.1:1055 */
  readonly socks: string;
  /** Absolute path on the hosts of further certificates that tunnels may have; null: the system's. @default null */
  readonly caFile: string | null;
  /** Seconds between two looks at a voter's active path. @default 5 */
  readonly probeSeconds: number;
  /** The same for its other paths. @default 10 */
  readonly standbySeconds: number;
  /** Seconds after which a connection or a probe counts as a miss. @default 3 */
  readonly timeoutSeconds: number;
  /** Misses in a row after which a path is left. @default 2 */
  readonly misses: number;
  /** Good probes in a row after which it is up again. @default 3 */
  readonly returns: number;
  /** Seconds without a miss after which it is preferred again. @default 60 */
  readonly settleSeconds: number;
}

type Fail = (key: string, expected: string, got: unknown) => void;

const port = z.int("a TCP port").min(1, "a TCP port").max(65_535, "a TCP port");
const seconds = z
  .number("a number of seconds from 0.1 to 600")
  .min(0.1, "a number of seconds from 0.1 to 600")
  .max(600, "a number of seconds from 0.1 to 600");
const count = z
  .int("a count from 1 to 100")
  .min(1, "a count from 1 to 100")
  .max(100, "a count from 1 to 100");

const schema = z.strictObject({
  enabled: z.union([z.boolean(), z.literal("auto")], "true, false or auto").default("auto"),
  inboundPort: port.default(8779),
  adminPort: port.default(8778),
  socks: z
    .string("host:port")
    .regex(/^[^\s:]+:\d{1,5}$/, "host:port")
    .default("127.0.0.1:1055"),
  caFile: z
    .string("an absolute path on the hosts")
    .startsWith("/", "an absolute path on the hosts")
    .nullable()
    .default(null),
  probeSeconds: seconds.default(5),
  standbySeconds: seconds.default(10),
  timeoutSeconds: seconds.default(3),
  misses: count.default(2),
  returns: count.default(3),
  settleSeconds: z.number().min(0).max(3600).default(60),
});

/** What else decides whether paths are on. */
export interface PathsSurroundings {
  /** `p2p:fleetSecret` is set: without it forwarders cannot know each other. */
  readonly hasSecret: boolean;
  /** The tailnet or tunnels are on: without them there is one path at most. */
  readonly hasNetwork: boolean;
}

/**
 * `enabled: auto` means on where the fleet has a secret, and a tailnet or tunnels.
 * @param raw the object under the key
 * @param fail told of every mistake: key, what is expected, what is there
 * @returns null where paths are off, or where a mistake was told
 */
export function readPaths(
  raw: Readonly<Record<string, unknown>>,
  { hasSecret, hasNetwork }: PathsSurroundings,
  fail: Fail,
): PathsSettings | null {
  const result = schema.safeParse(raw);
  if (!result.success) {
    for (const issue of result.error.issues) {
      const key = ["paths", ...issue.path.map(String)].join(".");
      if (issue.code === "unrecognized_keys")
        unknownKeys(issue.keys, key, Object.keys(schema.shape), fail);
      else fail(key, issue.message, raw[String(issue.path[0])]);
    }
    return null;
  }
  const { enabled, ...settings } = result.data;
  if (enabled === true && !hasSecret) {
    fail("paths.enabled", "p2p:fleetSecret beside it (a secret, set with --secret)", true);
    return null;
  }
  if (settings.inboundPort === settings.adminPort) {
    fail("paths.adminPort", "another port than inboundPort", settings.adminPort);
    return null;
  }
  return enabled === true || (enabled === "auto" && hasSecret && hasNetwork) ? settings : null;
}
