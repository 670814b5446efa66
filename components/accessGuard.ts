/** The fleet's service token through its generations, and what it opens. */

import * as pulumi from "@pulumi/pulumi";
import { type Facts } from "../payload/facts";
import { ACCESS_TOKEN } from "../payload/tunnelPart";
import { type AccessSettings } from "../settings/cloudflare";
import { groupNames, standingTokens } from "../tunnels/access";
import { type CloudflareApi } from "../tunnels/api";
import { type TunnelMemory } from "../tunnels/memory";
import { type ServiceToken, standing, TunnelAccess } from "./tunnelAccess";

const DAY_MS = 86_400_000;
/** Days before a service token's end from which it is told. */
const EXPIRY_DAYS = 30;

export class AccessGuard {
  private readonly access: TunnelAccess;
  private token: ServiceToken | undefined;
  private left: TunnelMemory["access"];

  constructor(
    private readonly place: { accountId: string; zone: string; mark: string },
    private readonly settings: AccessSettings,
    private readonly previous: TunnelMemory["access"],
  ) {
    this.left = previous;
    this.access = new TunnelAccess({ ...place, duration: settings.duration });
  }

  /** Registers the wanted token, and waits for it. */
  async open(): Promise<void> {
    const { generation } = this.settings;
    this.token = await this.access.serviceToken(generation);
    const days = Math.floor((Date.parse(this.token?.expiresAt ?? "") - Date.now()) / DAY_MS);
    if (days < EXPIRY_DAYS)
      void pulumi.log.warn(
        `the fleet's service token ends in ${days} days: set p2p:cloudflare.accessGeneration to ${generation + 1}`,
        this.access,
      );
  }

  /** Content of the hosts' file; null while the token is not known. */
  content(): string | null {
    if (!this.token) return null;
    const { clientId, clientSecret } = this.token;
    return `${JSON.stringify({ client_id: clientId, client_secret: clientSecret })}\n`;
  }

  /**
   * Lets in the wanted token, and older ones while a host was not seen with it.
   *
   * @param digest the wanted file's; undefined while the token is not known
   * @param seen facts by host that is given the file, as far as anybody could look
   * @returns what has to stand before a name is published
   */
  async close(
    hostnames: readonly string[],
    digest: string | undefined,
    seen: ReadonlyMap<string, Facts | undefined>,
  ): Promise<pulumi.CustomResource[]> {
    const { generation, overlap } = this.settings;
    const has = (facts: Facts | undefined): boolean =>
      digest !== undefined && facts?.secrets[ACCESS_TOKEN]?.digest === digest;
    const { generations, missing } = standingTokens(
      generation,
      this.previous?.tokens ?? [],
      new Map([...seen].map(([host, facts]) => [host, has(facts)])),
      overlap,
    );
    if (missing.length > 0) {
      const old = generations.filter((one) => one !== generation).join(", ");
      void pulumi.log.warn(
        `service token ${old} is let in until every host has token ${generation}; not yet seen on ${missing.join(", ")}`,
        this.access,
      );
    }
    const groups = groupNames(hostnames, this.previous?.groups ?? {});
    this.left = { groups, tokens: generations };
    const applications = this.access.guard(generations, groups);
    await standing(applications);
    return applications;
  }

  /** Deletes doubles of what this run has registered, which only a lost answer or a cut run leaves. */
  async sweep(api: CloudflareApi): Promise<void> {
    const { accountId } = this.place;
    const known = await this.access.doubles();
    for (const kind of ["service_tokens", "policies"] as const) {
      try {
        for (const { id, name } of await api.access(accountId, kind)) {
          const own = known[kind].get(name);
          if (own !== undefined && own !== id) await api.deleteAccess(accountId, kind, id);
        }
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        void pulumi.log.warn(`nobody looked for doubles among ${kind}: ${why}`, this.access);
      }
    }
  }

  /** For the next run. */
  memory(): TunnelMemory["access"] {
    return this.left;
  }
}
