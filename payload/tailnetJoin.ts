/** What a device in the tailnet is to be, and how what a probe found differs from it. */

import { isTailnetIPv4, isTailnetIPv6 } from "../hosts/fields";
import { type Connection } from "../hosts/plan/types";
import { type Drift } from "./drift";
import { type Facts } from "./facts";
import { TAILSCALED } from "./names";
import { type PrepareSpec } from "./spec";

/** What is said to `join`, beside the key. */
export interface JoinSpec {
  readonly node: string;
  /** The device's name. */
  readonly hostname: string;
  /** Sorted. */
  readonly tags: readonly string[];
  /** null: Tailscale's own. */
  readonly loginServer: string | null;
  readonly acceptDns: boolean;
}

const LOGGED_OUT: readonly string[] = ["NeedsLogin", "NoState"];

/** Empty when the device is in the tailnet as wished. */
export function compareJoin(spec: JoinSpec, { tailnet }: Facts): Drift[] {
  const drift = (what: string, want: string, is: string): Drift => ({
    what: `tailnet ${what}`,
    want,
    is,
  });
  if (!tailnet) return [drift("login", "joined", "no tailscale")];
  if (tailnet.backend === null) {
    // Its services are prepare's matter; whether it is still logged in shows when it answers again.
    if (tailnet.joined) return [];
    return [drift("login", "joined", tailnet.error ?? "tailscaled does not answer")];
  }
  if (LOGGED_OUT.includes(tailnet.backend))
    return [
      drift("login", "joined", tailnet.joined ? `logged out (${tailnet.backend})` : "never joined"),
    ];
  if (tailnet.backend === "Stopped") return [drift("state", "up", "down")];
  if (tailnet.backend === "NeedsMachineAuth") return [];
  const found: Drift[] = [];
  if (isAnotherLogin(spec, tailnet)) {
    const is = tailnet.tags.join(",") || "none";
    const want = spec.tags.join(",");
    if (is !== want) found.push(drift("tags", want, is));
    else found.push(drift("login server", spec.loginServer ?? "", tailnet.loginServer ?? "none"));
  }
  if (tailnet.hostname !== spec.hostname)
    found.push(drift("hostname", spec.hostname, tailnet.hostname ?? "none"));
  if (tailnet.acceptDns !== spec.acceptDns)
    found.push(drift("accept-dns", String(spec.acceptDns), String(tailnet.acceptDns)));
  return found;
}

type TailnetFact = NonNullable<Facts["tailnet"]>;

/** True where the difference takes a new login of a device that is in the tailnet. */
function isAnotherLogin(spec: JoinSpec, tailnet: TailnetFact): boolean {
  const server = spec.loginServer;
  return (
    [...tailnet.tags].sort().join() !== [...spec.tags].sort().join() ||
    (server !== null && tailnet.loginServer !== server)
  );
}

/** True where the join takes an auth key. */
export function needsKey(spec: JoinSpec, { tailnet }: Facts): boolean {
  if (!tailnet?.backend) return true;
  if (LOGGED_OUT.includes(tailnet.backend)) return true;
  return tailnet.backend !== "Stopped" && isAnotherLogin(spec, tailnet);
}

/** True for a host that we joined and that is to be in no tailnet of ours any more. */
export function isLeaving(spec: PrepareSpec, { tailnet }: Facts): boolean {
  if (!tailnet?.joined) return false;
  // A tailscaled of the system's was there before us: only a login that we gave it ends, and only for good.
  if (!tailnet.ours) return tailnet.loggedIn && spec.state === "absent";
  return spec.state === "absent" || !spec.services.some(({ name }) => name === TAILSCALED);
}

/** The logout of a host that goes on without a tailnet; one that is left altogether has traces enough. */
export function compareLeaving(spec: PrepareSpec, facts: Facts): Drift[] {
  const { tailnet } = facts;
  if (!tailnet || spec.state === "absent" || !isLeaving(spec, facts)) return [];
  const is = `joined as ${tailnet.name ?? tailnet.nodeId ?? "a device"}`;
  return [{ what: "tailnet login", want: "none", is }];
}

/** True where the controller comes by the host's own tailnet address or name. */
export function isOverTailnet({ host }: Connection, { tailnet }: Facts): boolean {
  const names = [tailnet?.name, ...(tailnet?.addresses ?? [])].map((name) => name?.toLowerCase());
  const dialled = host.toLowerCase().replace(/\.$/, "");
  return names.includes(dialled) || isTailnetIPv4(host) || isTailnetIPv6(host);
}

/** What people should know before tailscaled is started anew on a host that is reached over it. */
export function restartWarnings(
  drift: readonly Drift[],
  connection: Connection,
  facts: Facts,
): string[] {
  const isStarted = drift.some(({ what }) => RESTARTING.test(what));
  if (!isStarted || !isOverTailnet(connection, facts)) return [];
  return [
    "its tailscaled is started anew, and it is reached over it: where nobody gets in again, the host itself puts the old one back after 2 minutes, and the next run goes on",
  ];
}

/** Drift of `prepare` that ends in a restart of tailscaled. */
const RESTARTING = /^(tailscaled?|service tailscaled.*)$/;

/** Why a host that is to leave the tailnet cannot be left from here. */
export function leavingHold(
  spec: PrepareSpec,
  connection: Connection,
  facts: Facts,
): string | undefined {
  if (!isLeaving(spec, facts) || !isOverTailnet(connection, facts)) return undefined;
  return "tailnet: the logout would cut the tailnet address it is reached by; give it another ssh_host for that run";
}

/** Why nothing can be done from here: somebody else's login, or our own way in would be cut. */
export function joinHold(
  spec: JoinSpec,
  facts: Facts,
  options: { readonly overTailnet: boolean; readonly takeover: boolean },
): string | undefined {
  const { tailnet } = facts;
  if (tailnet?.backend === "Stopped" && !tailnet.ours && !tailnet.joined && !options.takeover)
    return "its own tailscaled is logged in somewhere and was turned off (tailscale down); turn it on or log it out there, or let p2p:takeover turn it on";
  const isRunning = tailnet?.backend === "Running" || tailnet?.backend === "Starting";
  if (!tailnet || !isRunning || !needsKey(spec, facts)) return undefined;
  if (!tailnet.ours && !options.takeover)
    return `its own tailscaled is logged in with the tags ${tailnet.tags.join(",") || "none"}; p2p:takeover logs it in anew`;
  if (options.overTailnet)
    return "the new login would cut the tailnet address it is reached by; give it another ssh_host for that run";
  return undefined;
}

/** A name that is taken already gets a number: `gpu-7-1`. */
function isRenamed({ backend, name, hostname }: TailnetFact): boolean {
  const label = name?.split(".")[0]?.toLowerCase();
  return backend === "Running" && Boolean(label && hostname) && label !== hostname?.toLowerCase();
}

/** What people should know about a device that needs no work from us. */
export function tailnetNotes({ tailnet }: Facts): string[] {
  if (!tailnet) return [];
  return [
    ...(tailnet.backend === "NeedsMachineAuth"
      ? ["the device waits for approval in the tailnet's admin console"]
      : []),
    ...(isRenamed(tailnet)
      ? [
          `the tailnet calls it ${tailnet.name}, not ${tailnet.hostname}: another device has that name (fleet sync tailscale tells which), or somebody renamed it`,
        ]
      : []),
    ...(tailnet.ours || tailnet.backend === null ? [] : ["uses the system's own tailscaled"]),
  ];
}
