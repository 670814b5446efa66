import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";
import { type Adoption } from "../settings/cloudflare";
import { type IngressRule } from "../tunnels/ingress";
import { valueOf } from "./ending";

export interface TunnelArgs {
  readonly accountId: string;
  readonly zoneId: string;
  /** DNS name; the tunnel itself is called so too. */
  readonly hostname: string;
  /** base64 of 32 bytes or more; it ends up encrypted in the state. */
  readonly secret: string;
  readonly rules: readonly IngressRule[];
  /** Mark of our records. */
  readonly comment: string;
  readonly adoption: Adoption;
  /** True for what stands only until its connector is known to be stopped: nothing about it changes. */
  readonly isKept?: boolean;
}

/** The provider's client tries a call that fails ten times, which takes it some four minutes. */
const LONGEST_CALL_MS = 400_000;

/**
 * A tunnel with its remote configuration and its DNS name. Deleting it deletes all three, the name first; a tunnel
 * with a running connector cannot be deleted, so its host is converged to `absent` before (D12).
 *
 * The name is published by a method, because it must not be there before what guards it.
 */
export abstract class Tunnel extends pulumi.ComponentResource {
  private readonly tunnel: cloudflare.ZeroTrustTunnelCloudflared;

  protected constructor(
    type: string,
    private readonly resourceName: string,
    private readonly args: TunnelArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super(type, resourceName, {}, opts);
    const { accountId, hostname, secret, adoption, isKept } = args;
    this.tunnel = new cloudflare.ZeroTrustTunnelCloudflared(
      `${resourceName}-tunnel`,
      {
        accountId,
        name: hostname,
        configSrc: "cloudflare",
        tunnelSecret: pulumi.secret(secret),
      },
      {
        parent: this,
        additionalSecretOutputs: ["tunnelSecret"],
        ...imported(accountId, adoption.tunnel),
        ignoreChanges: isKept ? ["*"] : ignoredOfTunnel(adoption.tunnel !== null),
      },
    );
    this.registerOutputs({});
  }

  /** The tunnel's id; undefined in preview of a new one, and where it could not be made. */
  tunnelId(): Promise<string | undefined> {
    return valueOf(this.tunnel.id, LONGEST_CALL_MS);
  }

  /**
   * Its rules and its DNS name.
   * @param after what has to stand before the name does
   * @returns the record's id; undefined in preview of a new one, and where it could not be made
   */
  async publish(after: readonly pulumi.Resource[]): Promise<string | undefined> {
    const { accountId, zoneId, hostname, rules, comment, adoption, isKept } = this.args;
    const config = new cloudflare.ZeroTrustTunnelCloudflaredConfig(
      `${this.resourceName}-config`,
      {
        accountId,
        tunnelId: this.tunnel.id,
        config: { ingresses: rules.map((rule) => ({ ...rule })) },
      },
      { parent: this, ignoreChanges: isKept ? ["*"] : [] },
    );
    const record = new cloudflare.DnsRecord(
      `${this.resourceName}-record`,
      {
        zoneId,
        name: hostname,
        type: "CNAME",
        content: pulumi.interpolate`${this.tunnel.id}.cfargotunnel.com`,
        proxied: true,
        // Automatic; Cloudflare takes nothing else for a proxied record.
        ttl: 1,
        comment,
      },
      {
        parent: this,
        dependsOn: [config, ...after],
        ...imported(zoneId, adoption.record),
        ignoreChanges: isKept ? ["*"] : ignoredOfRecord(adoption.record !== null),
      },
    );
    return valueOf(record.id, LONGEST_CALL_MS);
  }
}

function imported(owner: string, id: string | null): { import?: string } {
  return id === null ? {} : { import: `${owner}/${id}` };
}

/**
 * `configSrc` cannot be read back, so an adopted tunnel would be replaced for it; it never changes here. Nor can the
 * secret of an adopted one: it is brought in line through the API, before the tunnel is imported.
 */
function ignoredOfTunnel(isAdopted: boolean): string[] {
  if (!isAdopted) return ["configSrc"];
  return ["configSrc", "tunnelSecret", ...(pulumi.runtime.isDryRun() ? ["name"] : [])];
}

/** `up` makes an adopted record what is wanted before it is imported; preview touches nothing. */
function ignoredOfRecord(isAdopted: boolean): string[] {
  return isAdopted && pulumi.runtime.isDryRun() ? ["content", "comment", "proxied", "ttl"] : [];
}
