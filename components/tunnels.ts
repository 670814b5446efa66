/** The fleet's tunnels: registered before the hosts are asked for anything, published when they have been seen. */

import * as pulumi from "@pulumi/pulumi";
import { type DeployHostPlan, type FleetPlan } from "../hosts/plan/types";
import { type Facts } from "../payload/facts";
import { type HostPart } from "../payload/spec";
import { type Secret, tunnelPart } from "../payload/tunnelPart";
import { adoptionOf, type CloudflareSettings } from "../settings/cloudflare";
import { type CloudflareApi } from "../tunnels/api";
import { ingressRules } from "../tunnels/ingress";
import { applicationsFor, limitWarnings } from "../tunnels/limits";
import { ENTRY_KEY, nodeKey, nodeOfKey, type TunnelMemory } from "../tunnels/memory";
import { type TunnelPlan } from "../tunnels/plan";
import { recordComment, type Wanted } from "../tunnels/survey";
import { contentDigest, ownerMark, tunnelSecret, tunnelToken } from "../tunnels/token";
import { AccessGuard } from "./accessGuard";
import { EntryTunnel } from "./entryTunnel";
import { NodeTunnel } from "./nodeTunnel";
import { type FleetTunnels } from "./fleetTunnels";
import { type Tunnel } from "./tunnel";
import { dropConnections } from "./tunnelConnections";
import { TunnelOwnership } from "./tunnelOwnership";

export interface TunnelsArgs {
  readonly settings: CloudflareSettings;
  readonly plan: FleetPlan;
  /** Which tunnels there are to be; none where everything is taken down. */
  readonly tunnels: TunnelPlan;
  readonly previous: TunnelMemory | null;
  /** What secrets of tunnels are derived from. */
  readonly secret: string;
  readonly mirror: string | null;
  /** null: there are no credentials for the API. */
  readonly api: CloudflareApi | null;
}

interface Registered {
  readonly tunnel: Tunnel;
  /** undefined in preview of a new one, and where it could not be made. */
  readonly id: string | undefined;
  readonly hostname: string;
  readonly port: number;
  /** The DNS record's id; set when it is published. */
  record: string | null;
}

/** @returns when every tunnel's id is known, or known not to come */
export async function openTunnels(args: TunnelsArgs): Promise<FleetTunnels> {
  const tunnels = new Tunnels(args);
  await tunnels.open();
  return tunnels;
}

class Tunnels implements FleetTunnels {
  private readonly registered = new Map<string, Registered>();
  /** Why a tunnel is not registered, by key. */
  private readonly refused = new Map<string, string>();
  private guard: AccessGuard | undefined;
  private readonly ownership: TunnelOwnership;

  constructor(private readonly args: TunnelsArgs) {
    this.ownership = new TunnelOwnership(args);
  }

  private get zoneId(): string | undefined {
    const { settings, previous } = this.args;
    return this.ownership.survey?.zoneId ?? settings.zoneId ?? previous?.zoneId;
  }

  async open(): Promise<void> {
    this.warnOfLimits();
    const { ownership } = this;
    const wanted = ownership.wanted();
    await ownership.look();
    await Promise.all(
      wanted.map(async (one) => {
        const why = await ownership.whyNot(one);
        if (why !== undefined) this.refused.set(one.key, why);
      }),
    );
    const clear = wanted.filter(({ key }) => !this.refused.has(key));
    // One new tunnel goes ahead, so that what keeps all of them from being made is told once.
    const scout = clear.find(({ known }) => known === null);
    if (scout) await this.register(scout);
    const isAnyKept = await this.keepRefused();
    const others = clear.filter((one) => one !== scout).map((one) => this.register(one));
    await Promise.all([
      ...others,
      clear.length > 0 || isAnyKept ? this.openAccess(ownership.outage) : undefined,
    ]);
  }

  /** What the host's connectors are and know; undefined for a host without a tunnel. */
  partOf(host: DeployHostPlan): HostPart | undefined {
    const own = this.registered.get(nodeKey(host.name));
    if (!own || this.whyWaiting(host.name) !== undefined) return undefined;
    const { settings, mirror, tunnels } = this.args;
    const servesEntry = tunnels.entry?.nodes.includes(host.name) === true;
    const entry = servesEntry ? this.registered.get(ENTRY_KEY) : undefined;
    const isPreview = pulumi.runtime.isDryRun();
    const access = this.accessSecret();
    return tunnelPart({
      version: settings.cloudflared.version,
      sha256: settings.cloudflared.sha256,
      mirror,
      protocol: settings.protocol,
      user: host.connection.user,
      container: host.container,
      token: this.tokenOf(nodeKey(host.name), own),
      // What is not known in `up` was lost, and must not be written as if it were empty.
      entryToken:
        entry && (entry.id !== undefined || isPreview) ? this.tokenOf(ENTRY_KEY, entry) : undefined,
      accessToken: this.guard && (access || isPreview) ? access : undefined,
    });
  }

  /** Why a host has to wait for its tunnel; undefined where it need not. */
  whyWaiting(node: string): string | undefined {
    const refused = this.refused.get(nodeKey(node));
    if (refused !== undefined) return `tunnel: ${refused}`;
    const own = this.registered.get(nodeKey(node));
    if (!own || own.id !== undefined || pulumi.runtime.isDryRun()) return undefined;
    return "tunnel: it could not be made";
  }

  /** Access first, then the names. @param seen facts by host, as far as anybody could look */
  async publish(seen: ReadonlyMap<string, Facts | undefined>): Promise<void> {
    const nodes = [...this.registered.keys()].flatMap((key) => nodeOfKey(key) ?? []);
    const names = [...this.registered.values()].map(({ hostname }) => hostname);
    const given = new Map(nodes.map((node) => [node, seen.get(node)]));
    const guards = (await this.guard?.close(names, this.accessSecret()?.digest, given)) ?? [];
    if (this.ownership.survey && this.args.api && !pulumi.runtime.isDryRun())
      await this.guard?.sweep(this.args.api);
    await Promise.all(
      [...this.registered.values()].map(async (entry) => {
        entry.record = (await entry.tunnel.publish(guards)) ?? null;
      }),
    );
  }

  /**
   * Keeps tunnels of the last run whose connector may still run, and closes the connections of those that go now.
   * @param mayRun whether a connector may run on a node that has no tunnel any more
   */
  async close(mayRun: (node: string) => boolean): Promise<void> {
    const { previous, api, settings } = this.args;
    const rest = Object.entries(previous?.tunnels ?? {}).filter(
      ([key]) => !this.registered.has(key),
    );
    const running = new Set(
      rest.map(([key]) => nodeOfKey(key)).filter((node) => node !== undefined && mayRun(node)),
    );
    const gone: string[] = [];
    for (const [key, { id, hostname, port }] of rest) {
      const isKept = key === ENTRY_KEY ? running.size > 0 : running.has(nodeOfKey(key));
      if (!isKept) {
        gone.push(id);
        continue;
      }
      // Its name goes already, so nothing has to guard it.
      const tunnel = await this.keep(key, hostname, port);
      void pulumi.log.warn("its connector was not seen to have stopped: the tunnel stays", tunnel);
    }
    if (!pulumi.runtime.isDryRun() && api) await dropConnections(api, settings.accountId, gone);
  }

  /** URLs of nodes whose tunnel stands or is to be made, and of the entry. */
  urls(): { readonly nodes: Readonly<Record<string, string>>; readonly entry: string | null } {
    const { nodes, entry } = this.args.tunnels;
    const own = [...nodes.values()].filter(({ node }) => this.registered.has(nodeKey(node)));
    return {
      nodes: Object.fromEntries(own.map(({ node, url }) => [node, url])),
      entry: entry && this.registered.has(ENTRY_KEY) ? entry.url : null,
    };
  }

  /** For the next run. */
  memory(): TunnelMemory | null {
    const { zoneId } = this;
    if (zoneId === undefined) return this.args.previous;
    const tunnels = [...this.registered].flatMap(([key, { id, record, hostname, port }]) =>
      id === undefined ? [] : [[key, { id, record, hostname, port }] as const],
    );
    return {
      accountId: this.args.settings.accountId,
      zoneId,
      tunnels: Object.fromEntries(tunnels.sort(([a], [b]) => (a < b ? -1 : 1))),
      access: this.guard?.memory() ?? null,
    };
  }

  private async register({ key, hostname }: Wanted): Promise<void> {
    const { nodes, entry } = this.args.tunnels;
    const node = nodeOfKey(key);
    const port = node === undefined ? entry?.port : nodes.get(node)?.port;
    if (port === undefined) return;
    const tunnel = this.make(key, hostname, port, false);
    this.registered.set(key, { tunnel, id: await tunnel.tunnelId(), hostname, port, record: null });
  }

  /**
   * A refused host is left alone, and so is its tunnel with its name; the entry too, where no other host serves it.
   * @returns whether there is any
   */
  private async keepRefused(): Promise<boolean> {
    const { previous, plan, tunnels } = this.args;
    const isRefused = (key: string) => plan.hosts.get(nodeOfKey(key) ?? "")?.action === "refused";
    const known = Object.entries(previous?.tunnels ?? {});
    const isAny = known.some(([key]) => isRefused(key));
    const kept = known.filter(([key]) =>
      key === ENTRY_KEY ? isAny && tunnels.entry === null : isRefused(key),
    );
    await Promise.all(kept.map(([key, { hostname, port }]) => this.keep(key, hostname, port)));
    return isAny;
  }

  private async keep(key: string, hostname: string, port: number): Promise<Tunnel> {
    const tunnel = this.make(key, hostname, port, true);
    const id = await tunnel.tunnelId();
    this.registered.set(key, { tunnel, id, hostname, port, record: null });
    return tunnel;
  }

  private make(key: string, hostname: string, port: number, isKept: boolean): Tunnel {
    const { settings, secret } = this.args;
    const node = nodeOfKey(key);
    const args = {
      accountId: settings.accountId,
      zoneId: this.zoneId ?? "",
      hostname,
      secret: tunnelSecret(secret, key, settings.tokenGeneration),
      rules: ingressRules(hostname, port, settings.paths),
      comment: recordComment(secret, hostname),
      adoption: node === undefined ? settings.adoptEntry : adoptionOf(settings, node),
      isKept,
    };
    return node === undefined ? new EntryTunnel(args) : new NodeTunnel(node, args);
  }

  /** Without the API only a token that the last run has left can stand. */
  private async openAccess(outage: string | undefined): Promise<void> {
    const { settings, previous } = this.args;
    const memory = previous?.access ?? null;
    if (!settings.access || (outage !== undefined && memory === null)) return;
    const { accountId, zone } = settings;
    const mark = ownerMark(this.args.secret, `access ${zone}`);
    this.guard = new AccessGuard({ accountId, zone, mark }, settings.access, memory);
    await this.guard.open();
  }

  private tokenOf(key: string, { id }: Registered): Secret | null {
    if (id === undefined) return null;
    const { settings, secret } = this.args;
    const own = tunnelSecret(secret, key, settings.tokenGeneration);
    return this.secretOf(tunnelToken(settings.accountId, id, own));
  }

  private accessSecret(): Secret | null {
    const content = this.guard?.content() ?? null;
    return content === null ? null : this.secretOf(content);
  }

  private secretOf(content: string): Secret {
    return { content, digest: contentDigest(this.args.secret, content) };
  }

  private warnOfLimits(): void {
    const { settings, plan, previous, tunnels } = this.args;
    const { nodes, entry } = tunnels;
    const warnings = limitWarnings({
      nodes: nodes.size,
      voters: plan.voters.effective.length,
      hasEntry: entry !== null,
      applications: settings.access ? applicationsFor(nodes.size + (entry ? 1 : 0)) : 0,
      serviceTokens: settings.access ? 1 + (previous?.access?.tokens.length ?? 0) : 0,
    });
    for (const warning of warnings) void pulumi.log.warn(`p2p:cloudflare: ${warning}`);
    if (entry && entry.passedOver.length > 0)
      void pulumi.log.warn(
        `p2p:cloudflare: the entry leads to port ${entry.port}, and ${entry.passedOver.join(", ")} listen elsewhere: they do not serve it`,
      );
  }
}
