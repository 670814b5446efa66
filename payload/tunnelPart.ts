/** What tunnels bring to a host: cloudflared, its connectors, and their secret files. */

import { toolPath } from "./names";
import { type HostPart, type SecretFile, type SupportService, type Tool } from "./spec";

/** The node's own tunnel. */
export const TUNNEL_TOKEN = "/etc/ringrift/tunnel-token";
/** The fleet's shared entry; only on effective voters. */
export const ENTRY_TOKEN = "/etc/ringrift/entry-token";
/**
 * What requests to other nodes' names carry where Access is on: JSON with `client_id` and `client_secret`, the values
 * of the headers CF-Access-Client-Id and CF-Access-Client-Secret.
 */
export const ACCESS_TOKEN = "/etc/ringrift/access-token.json";

/** Loopback ports of the connectors' own HTTP server (`/ready`, `/metrics`). */
const METRICS = { cloudflared: 20241, entry: 20242 } as const;
/** Seconds until a connector has a connection to the edge; QUIC that is blocked costs it half of them. */
const READY_SECONDS = 60;
/**
 * How often the pause between two attempts doubles, from up to 1 s. cloudflared's own 5 lets its first connection wait
 * up to 32 s after the edge is back, which is most of the time in which nodes have to find each other again.
 */
const RETRIES = 3;
const VENDOR = "https://github.com";

/** A secret that is not there yet stands as null: Cloudflare has still to make what it belongs to. */
export interface Secret {
  readonly content: string;
  /** Keyed digest. */
  readonly digest: string;
}

export interface TunnelPartOptions {
  readonly version: string;
  readonly sha256: { readonly x86_64: string; readonly aarch64: string };
  /** Base URL that stands for the vendor's; null: the vendor's own. */
  readonly mirror: string | null;
  readonly protocol: "auto" | "http2" | "quic";
  /** Login name that connectors run as, and that owns the secret files. */
  readonly user: string;
  /** Containers' providers often drop UDP, which costs `auto` half a minute at each start. */
  readonly container: boolean;
  readonly token: Secret | null;
  /** undefined: the host does not serve the entry. */
  readonly entryToken: Secret | null | undefined;
  /** undefined: Access is off. */
  readonly accessToken: Secret | null | undefined;
}

/** What is compared with a host's digest while the real one is not known: it differs from every digest. */
const PENDING: Secret = { content: "", digest: "pending" };

export function tunnelPart(options: TunnelPartOptions): HostPart {
  const { user, token, entryToken, accessToken } = options;
  const secret = (path: string, value: Secret | null): SecretFile => ({
    path,
    owner: user,
    ...(value ?? PENDING),
  });
  return {
    tools: [cloudflaredTool(options)],
    files: [],
    services: [
      connector("cloudflared", TUNNEL_TOKEN, token, options),
      ...(entryToken === undefined ? [] : [connector("entry", ENTRY_TOKEN, entryToken, options)]),
    ],
    secrets: [
      secret(TUNNEL_TOKEN, token),
      ...(entryToken === undefined ? [] : [secret(ENTRY_TOKEN, entryToken)]),
      ...(accessToken === undefined ? [] : [secret(ACCESS_TOKEN, accessToken)]),
    ],
    pythonWanted: {},
    environment: {},
  };
}

function connector(
  name: keyof typeof METRICS,
  tokenFile: string,
  token: Secret | null,
  options: TunnelPartOptions,
): SupportService {
  const metrics = `127.0.0.1:${METRICS[name]}`;
  const protocol = options.protocol === "auto" && options.container ? "http2" : options.protocol;
  return {
    name,
    argv: [
      toolPath("cloudflared"),
      "tunnel",
      "--no-autoupdate",
      ...["--retries", String(RETRIES)],
      ...["--metrics", metrics],
      "run",
      // Its own choice is QUIC, then http2 where that does not get through.
      ...(protocol === "auto" ? [] : ["--protocol", protocol]),
      ...["--token-file", tokenFile],
    ],
    environment: {},
    user: options.user,
    tools: ["cloudflared"],
    files: [],
    secrets: { [tokenFile]: (token ?? PENDING).digest },
    ready: { url: `http://${metrics}/ready` },
    readySeconds: READY_SECONDS,
    // The controller comes over SSH, never through a tunnel.
    cutsOff: false,
  };
}

function cloudflaredTool({ version, sha256, mirror }: TunnelPartOptions): Tool {
  const source = (machine: string, digest: string) => ({
    url: `${(mirror ?? VENDOR).replace(/\/$/, "")}/cloudflare/cloudflared/releases/download/${version}/cloudflared-linux-${machine}`,
    sha256: digest,
    member: null,
  });
  return {
    name: "cloudflared",
    version,
    sources: { x86_64: source("amd64", sha256.x86_64), aarch64: source("arm64", sha256.aarch64) },
  };
}
