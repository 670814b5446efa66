/** What a tunnel lets through, in the shape of its remote configuration. */

export interface OriginRequest {
  /** Seconds. */
  readonly connectTimeout: number;
  readonly tcpKeepAlive: number;
  readonly keepAliveTimeout: number;
  readonly keepAliveConnections: number;
}

export interface IngressRule {
  readonly hostname?: string;
  /** Go regular expression over the URL's path. */
  readonly path?: string;
  readonly service: string;
  readonly originRequest?: OriginRequest;
}

/**
 * Paths by which nodes speak to each other: health, membership, gossip, elections and the relay's queue. Not among
 * them are the daemon's open GET requests that change state (`/admin/*`, `/work/*`) and its jobs and files.
 */
export const P2P_PATHS: readonly string[] = [
  "/health",
  "/status",
  "/heartbeat",
  "/gossip",
  "/gossip/anti-entropy",
  "/coordinator",
  "/election",
  "/election/[a-z_-]+",
  "/relay/(peers|heartbeat|enqueue|status|health)",
];

/** Anchored: cloudflared looks for the expression anywhere in the path. */
export const P2P_PATH_PATTERN = `^(${P2P_PATHS.join("|")})$`;

/** A dead daemon refuses at once; these bound one that hangs. A heartbeat comes every 15 s. */
const ORIGIN: OriginRequest = {
  connectTimeout: 5,
  tcpKeepAlive: 15,
  keepAliveTimeout: 60,
  keepAliveConnections: 16,
};

/**
 * The rule of one name, and the catch-all that Cloudflare asks for as the last one.
 * @param port TCP port of the daemon on the connector's own host
 */
export function ingressRules(hostname: string, port: number, paths: "p2p" | "all"): IngressRule[] {
  return [
    {
      hostname,
      ...(paths === "p2p" ? { path: P2P_PATH_PATTERN } : {}),
      service: `http://localhost:${port}`,
      originRequest: ORIGIN,
    },
    { service: "http_status:404" },
  ];
}
