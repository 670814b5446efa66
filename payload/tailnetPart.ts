/** What the tailnet brings to a host: tailscale and tailscaled, and how the daemon gets out through them. */

import { type DeployHostPlan, type Networking } from "../hosts/plan/types";
import { type Facts } from "./facts";
import { EMPTY_PART } from "./hostPart";
import { BASE, TAILSCALED, toolPath } from "./names";
import { type HostPart, type Tool } from "./spec";

/** tailscaled's default, so that `tailscale status` works for people too. */
export const TAILNET_SOCKET = "/run/tailscale/tailscaled.sock";
/** On a rented container's volume: what is elsewhere goes with the container. */
export const TAILNET_VOLUME = "/workspace/.ringrift-p2p";
/** SOCKS5 and HTTP proxy of userspace networking (the daemon's own default port). */
export const PROXY = "localhost:1055";

const VENDOR = "https://pkgs.tailscale.com";
/** Seconds until tailscaled answers its socket. */
const READY_SECONDS = 30;

export interface TailnetPartOptions {
  readonly version: string;
  readonly sha256: { readonly x86_64: string | null; readonly aarch64: string | null };
  /** Base URL that stands for the vendor's; null: the vendor's own. */
  readonly mirror: string | null;
}

/** Where a TUN device opens it is used; the file's word counts only until somebody has looked. */
export function networkingOf(host: DeployHostPlan, facts: Facts | undefined): Networking {
  if (!facts) return host.networking;
  return facts.tun ? "tun" : "userspace";
}

/** A tailscaled that the system runs by itself is used as it is. */
export function isForeign(facts: Facts | undefined): boolean {
  const tailnet = facts?.tailnet ?? null;
  return tailnet !== null && !tailnet.ours && tailnet.backend !== null;
}

/** Directory of tailscaled's state: the node's identity. */
export function stateDirectory(host: DeployHostPlan): string {
  const isOnVolume = host.container && host.aiServicePath.startsWith("/workspace/");
  return `${isOnVolume ? TAILNET_VOLUME : BASE}/tailscale`;
}

export function tailnetPart(
  host: DeployHostPlan,
  facts: Facts | undefined,
  options: TailnetPartOptions,
): HostPart {
  const isUserspace = networkingOf(host, facts) === "userspace";
  // Where there is a path forwarder, that one goes through the proxy, and the daemon does not.
  const through = isUserspace && !host.forwarded ? userspacePart(options.version) : EMPTY_PART;
  if (isForeign(facts)) return through;
  const directory = stateDirectory(host);
  return {
    ...through,
    tools: [tool("tailscale", options), tool(TAILSCALED, options)],
    services: [
      {
        name: TAILSCALED,
        argv: [
          toolPath(TAILSCALED),
          `--state=${directory}/tailscaled.state`,
          `--statedir=${directory}`,
          `--socket=${TAILNET_SOCKET}`,
          ...(isUserspace
            ? [
                "--tun=userspace-networking",
                `--socks5-server=${PROXY}`,
                `--outbound-http-proxy-listen=${PROXY}`,
              ]
            : []),
        ],
        environment: {},
        user: "root",
        tools: ["tailscale", TAILSCALED],
        files: [],
        secrets: {},
        // With --json it answers in every state, so it says whether tailscaled works, not whether it is joined.
        ready: {
          argv: [
            toolPath("tailscale"),
            `--socket=${TAILNET_SOCKET}`,
            "status",
            "--json",
            "--peers=false",
          ],
        },
        readySeconds: READY_SECONDS,
        cutsOff: true,
      },
    ],
  };
}

/** The daemon has no route into the tailnet: its connections go through the proxy. */
function userspacePart(version: string): HostPart {
  return {
    ...EMPTY_PART,
    // Without it the daemon passes over its proxy in silence.
    pythonWanted: { aiohttp_socks: "aiohttp-socks" },
    environment: {
      ...USERSPACE_ENVIRONMENT,
      // Another tailscaled restarts the proxy, and the daemon with it.
      P2P_FLEET_TAILSCALED: version,
    },
  };
}

/** Names are the daemon's. */
const USERSPACE_ENVIRONMENT: Readonly<Record<string, string>> = {
  RINGRIFT_NEEDS_USERSPACE_TAILSCALE: "true",
  RINGRIFT_SOCKS_PROXY: "socks5://localhost:1055",
  RINGRIFT_TAILSCALE_SOCKS_PORT: "1055",
};

/** The plan of a host on which a TUN device opens, or does not, against the file's word. */
export function withNetworking(host: DeployHostPlan, facts: Facts | undefined): DeployHostPlan {
  const networking = networkingOf(host, facts);
  if (networking === host.networking) return host;
  const environment = Object.entries(host.environment).filter(
    ([name]) => USERSPACE_ENVIRONMENT[name] === undefined,
  );
  return { ...host, networking, environment: Object.fromEntries(environment) };
}

function tool(name: string, { version, sha256, mirror }: TailnetPartOptions): Tool {
  const source = (machine: string, digest: string | null) =>
    digest === null
      ? null
      : {
          url: `${(mirror ?? VENDOR).replace(/\/$/, "")}/stable/tailscale_${version}_${machine}.tgz`,
          sha256: digest,
          member: `tailscale_${version}_${machine}/${name}`,
        };
  const x86 = source("amd64", sha256.x86_64);
  const arm = source("arm64", sha256.aarch64);
  return {
    name,
    version,
    sources: { ...(x86 && { x86_64: x86 }), ...(arm && { aarch64: arm }) },
  };
}
