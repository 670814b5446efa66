import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";
import { type Groups } from "../tunnels/access";
import { valueOf } from "./ending";

export interface TunnelAccessArgs {
  readonly accountId: string;
  /** Name of the zone: what is made is called after it. */
  readonly zone: string;
  /** Ends every name: what carries it is this stack's, whoever else has tunnels in the zone. */
  readonly mark: string;
  /** How long a service token is valid, such as `8760h`. */
  readonly duration: string;
}

export interface ServiceToken {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Time of its end, RFC 3339. */
  readonly expiresAt: string;
}

const LONGEST_CALL_MS = 400_000;

/**
 * Who is let in to the fleet's names: requests with a service token of the fleet's, nobody else. The token that is
 * wanted is made first, because hosts are given it; policy and applications follow when it is known which older
 * tokens still have to stand.
 */
export class TunnelAccess extends pulumi.ComponentResource {
  private readonly tokens = new Map<number, cloudflare.ZeroTrustAccessServiceToken>();
  private policy: cloudflare.ZeroTrustAccessPolicy | undefined;

  constructor(
    private readonly args: TunnelAccessArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("p2p:components:TunnelAccess", "access", {}, opts);
    this.registerOutputs({});
  }

  /** Registers one generation's token, once. */
  private token(generation: number): cloudflare.ZeroTrustAccessServiceToken {
    const known = this.tokens.get(generation);
    if (known) return known;
    const { accountId, duration } = this.args;
    const token = new cloudflare.ZeroTrustAccessServiceToken(
      `access-token-${generation}`,
      { accountId, name: this.nameOf(generation), duration },
      { parent: this, additionalSecretOutputs: ["clientSecret"] },
    );
    this.tokens.set(generation, token);
    return token;
  }

  private nameOf(number?: number | string): string {
    const { zone, mark } = this.args;
    return ["p2p", zone, ...(number === undefined ? [] : [number]), mark].join(" ");
  }

  /**
   * Names and ids of what Cloudflare allows to be there twice: a lost answer, or a run that was cut, leaves such a
   * double. Empty where an id is not known.
   */
  async doubles(): Promise<Record<"service_tokens" | "policies", Map<string, string>>> {
    const ids = async (resources: Iterable<[string, pulumi.CustomResource | undefined]>) => {
      const known = new Map<string, string>();
      for (const [name, resource] of resources) {
        const id = resource && (await valueOf(resource.id, LONGEST_CALL_MS));
        if (id !== undefined) known.set(name, id);
      }
      return known;
    };
    const tokens = [...this.tokens].map(([generation, token]): [string, typeof token] => [
      this.nameOf(generation),
      token,
    ]);
    return {
      service_tokens: await ids(tokens),
      policies: await ids([[this.nameOf(), this.policy]]),
    };
  }

  /** undefined in preview of a new one, and where it could not be made. */
  async serviceToken(generation: number): Promise<ServiceToken | undefined> {
    const { clientId, clientSecret, expiresAt } = this.token(generation);
    const values = await Promise.all([
      valueOf(clientId, LONGEST_CALL_MS),
      valueOf(clientSecret, LONGEST_CALL_MS),
      valueOf(expiresAt, LONGEST_CALL_MS),
    ]);
    const [id, secret, end] = values;
    if (id === undefined || secret === undefined) return undefined;
    return { clientId: id, clientSecret: secret, expiresAt: end ?? "" };
  }

  /**
   * Lets the tokens in at the names. Every domain is covered before it is published: names wait for what this gives.
   * @param generations tokens that are let in
   */
  guard(generations: readonly number[], groups: Groups): cloudflare.ZeroTrustAccessApplication[] {
    const { accountId } = this.args;
    const policy = new cloudflare.ZeroTrustAccessPolicy(
      "access-policy",
      {
        accountId,
        name: this.nameOf(),
        // The only decision that a service token can meet.
        decision: "non_identity",
        includes: generations.map((generation) => ({
          serviceToken: { tokenId: this.token(generation).id },
        })),
      },
      { parent: this },
    );
    this.policy = policy;
    return Object.entries(groups).map(
      ([number, names]) =>
        new cloudflare.ZeroTrustAccessApplication(
          `access-app-${number}`,
          {
            accountId,
            name: this.nameOf(number),
            type: "self_hosted",
            destinations: names.map((uri) => ({ type: "public", uri })),
            policies: [{ id: policy.id, precedence: 1 }],
          },
          { parent: this },
        ),
    );
  }
}

/** Waits until all of them stand as they are wanted, or were lost. */
export async function standing(resources: readonly pulumi.CustomResource[]): Promise<void> {
  await Promise.all(resources.map((resource) => valueOf(resource.id, LONGEST_CALL_MS)));
}
