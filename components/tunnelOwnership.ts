/** Which tunnels there are to be, and which of them may be registered: those that are nobody else's. */

import * as pulumi from "@pulumi/pulumi";
import { adoptionOf } from "../settings/cloudflare";
import { prepareAdoption } from "../tunnels/adopt";
import { ENTRY_KEY, nodeKey } from "../tunnels/memory";
import {
  provesOwnership,
  recordComment,
  type Survey,
  surveyAccount,
  type Wanted,
  whyForeign,
} from "../tunnels/survey";
import { tunnelSecret } from "../tunnels/token";
import { type TunnelsArgs } from "./tunnels";

export class TunnelOwnership {
  /** undefined where nobody could look. */
  survey: Survey | undefined;
  /** Why Cloudflare cannot be used now; undefined where it can. */
  outage: string | undefined;

  constructor(private readonly args: TunnelsArgs) {}

  wanted(): Wanted[] {
    const { settings, previous, tunnels } = this.args;
    const wish = (key: string, hostname: string, adoption: Wanted["adoption"]): Wanted => {
      const known = previous?.tunnels[key];
      return {
        key,
        hostname,
        adoption,
        known: known ? { tunnel: known.id, record: known.record } : null,
      };
    };
    return [
      ...[...tunnels.nodes.values()].map(({ node, hostname }) =>
        wish(nodeKey(node), hostname, adoptionOf(settings, node)),
      ),
      ...(tunnels.entry ? [wish(ENTRY_KEY, tunnels.entry.hostname, settings.adoptEntry)] : []),
    ];
  }

  /** Looks at the account; an outage is told once for the fleet. */
  async look(): Promise<void> {
    this.outage = await this.surveyOrOutage();
    if (this.outage !== undefined) report(this.outage);
  }

  private async surveyOrOutage(): Promise<string | undefined> {
    const { api, settings } = this.args;
    if (!api) return "there is no API token for Cloudflare: set cloudflare:apiToken (a secret)";
    try {
      this.survey = await surveyAccount(api, settings);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** Why the tunnel is not registered. One that the last run has left always is, or it would be deleted. */
  async whyNot(wanted: Wanted): Promise<string | undefined> {
    const { outage } = this;
    const why = outage ?? (await this.whyForeign(wanted));
    if (why === undefined || wanted.known === null) return why;
    if (outage === undefined) void pulumi.log.warn(`tunnel of ${wanted.hostname}: ${why}`);
    return undefined;
  }

  private async whyForeign(wanted: Wanted): Promise<string | undefined> {
    const { api, settings, secret } = this.args;
    const { survey } = this;
    if (!survey || !api) return "nobody looked";
    const { key, hostname, adoption } = wanted;
    const { accountId, tokenGeneration: generation } = settings;
    try {
      const why = await whyForeign(wanted, survey, secret, (tunnel) =>
        provesOwnership(api, accountId, tunnel, { secret, key, generation }),
      );
      const isAdopting = adoption.tunnel !== null || adoption.record !== null;
      if (why === undefined && isAdopting && !pulumi.runtime.isDryRun())
        await prepareAdoption(api, accountId, survey, wanted, {
          secret: tunnelSecret(secret, key, generation),
          comment: recordComment(secret, hostname),
        });
      return why;
    } catch (error) {
      return messageOf(error);
    }
  }
}

function report(outage: string): void {
  const text = `p2p:cloudflare: ${outage}`;
  if (pulumi.runtime.isDryRun()) {
    void pulumi.log.warn(text);
    return;
  }
  void pulumi.log.error(text);
  // What stands stays registered, and the exit code keeps the engine from deleting what nobody could look at.
  process.exitCode = 1;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
