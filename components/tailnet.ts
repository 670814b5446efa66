import * as pulumi from "@pulumi/pulumi";
import type * as tailscale from "@pulumi/tailscale";
import { keyName, type WantedKey } from "../tailnet/classKeys";
import { type PolicyDecision } from "../tailnet/decidePolicy";
import { type DnsSettings } from "../tailnet/dns";
import { keyDescription, stamped } from "../tailnet/plannedKeys";

/** Loaded only where there is a tailnet: it costs half a second. */
export type TailscaleSdk = typeof tailscale;

export type TailnetKey = InstanceType<TailscaleSdk["TailnetKey"]>;

/** The key of one host: made now for a join, or one of an earlier run that only stands. */
export interface JoinKey {
  readonly host: string;
  readonly tags: readonly string[];
  readonly isNeeded: boolean;
}

/** DNS settings as they are to be. */
export interface DnsWish {
  readonly settings: DnsSettings;
  /** Part of the resource's name. */
  readonly generation: string;
  /** Nobody could look at them: what the state holds stands. */
  readonly isKept: boolean;
}

export interface TailnetArgs {
  readonly sdk: TailscaleSdk;
  /** What is done with the policy; `keep` leaves the resource as it is, null has none. */
  readonly policy:
    Extract<PolicyDecision, { kind: "write" }> | { kind: "keep"; text: string } | null;
  readonly dns: DnsWish | null;
  /** Seconds for which a host's key is good. */
  readonly keySeconds: number;
  /** Differs from run to run: what is wanted again is a change again. */
  readonly nonce: string;
}

/**
 * The fleet's part of a tailnet: its policy, DNS settings, a reusable key for each class of start scripts,
 * and a single-use key for every host that is joined now. Keys are registered one by one, because what keeps one of
 * them from being made keeps all. Deleting it leaves policy and DNS as they are and revokes the keys; devices stay,
 * until they are logged out.
 *
 * @example
 * const tailnet = new Tailnet("tailnet", { sdk, policy, dns: null, keySeconds: 1800, nonce });
 * await settled(tailnet.joinKey({ host: "gpu-7", tags, isNeeded: true }).key);
 */
export class Tailnet extends pulumi.ComponentResource {
  public readonly policy: pulumi.Output<string> | undefined;
  /** A tag belongs to its owners only once the policy is there. */
  private readonly before: pulumi.Resource[];

  constructor(
    name: string,
    private readonly args: TailnetArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("p2p:components:Tailnet", name, {}, opts);
    const acl = this.createPolicy(name);
    this.before = acl ? [acl] : [];
    this.policy = acl?.acl;
    this.createDns(name);
    this.registerOutputs({});
  }

  private createPolicy(name: string) {
    const { sdk, policy, nonce } = this.args;
    if (policy === null) return undefined;
    const isWritten = policy.kind === "write";
    return new sdk.Acl(
      `${name}-policy`,
      {
        acl: isWritten ? stamped(policy.text, nonce) : policy.text,
        overwriteExistingContent: isWritten ? policy.overwrite : true,
      },
      // What the tailnet has was compared with what is wanted: the state only stands.
      { parent: this, ignoreChanges: isWritten ? [] : ["*"] },
    );
  }

  private createDns(name: string): void {
    const { sdk, dns } = this.args;
    if (dns === null) return;
    const { settings, generation, isKept } = dns;
    new sdk.DnsConfiguration(
      `${name}-dns${generation === "" ? "" : `-${generation}`}`,
      {
        magicDns: settings.magicDns,
        overrideLocalDns: settings.overrideLocalDns,
        nameservers: settings.nameservers.map((address) => ({ address })),
        searchPaths: [...settings.searchPaths],
      },
      {
        parent: this,
        ignoreChanges: isKept ? ["*"] : [],
        // Deleting it empties the tailnet's settings, and the one that takes its place has written them by then.
        retainOnDelete: true,
      },
    );
  }

  /** Its `key` is a secret. */
  classKey(key: WantedKey): TailnetKey {
    return new this.args.sdk.TailnetKey(
      keyName(key),
      {
        reusable: true,
        ephemeral: key.ephemeral,
        preauthorized: true,
        tags: [...key.tags],
        expiry: key.days * 86_400,
        description: keyDescription(key.class, key.generation),
      },
      { parent: this, dependsOn: this.before },
    );
  }

  /** Its `key` is a secret. */
  joinKey({ host, tags, isNeeded }: JoinKey): TailnetKey {
    return new this.args.sdk.TailnetKey(
      `${host}-join-key`,
      {
        reusable: false,
        ephemeral: false,
        preauthorized: true,
        tags: [...tags],
        expiry: this.args.keySeconds,
        description: keyDescription(host, this.args.nonce),
        // It is used up by the join, which is no reason to make another.
        recreateIfInvalid: "never",
      },
      {
        parent: this,
        dependsOn: this.before,
        ignoreChanges: isNeeded ? [] : ["*"],
      },
    );
  }
}
