/** What stands at Cloudflare under the fleet's names before anything is registered, and whose it is. */

import { type Adoption } from "../settings/cloudflare";
import { CloudflareError, type FoundRecord, type FoundTunnel } from "./api";
import { type CloudflareApi } from "./api";
import { ownerMark, secretInToken, tunnelSecret } from "./token";

/** One tunnel that the fleet wants. */
export interface Wanted {
  /** Stable key: `node:<name>` or `entry`. */
  readonly key: string;
  /** Also the tunnel's name. */
  readonly hostname: string;
  readonly adoption: Adoption;
  /** Its ids by the last finished run; null where that had none. */
  readonly known: { readonly tunnel: string; readonly record: string | null } | null;
}

/** How our records are told from others: a mark that only this stack could have written. */
export function recordComment(secret: string, hostname: string): string {
  return `p2p-fleet ${ownerMark(secret, hostname)}`;
}

export interface Survey {
  readonly zoneId: string;
  readonly tunnels: readonly FoundTunnel[];
  readonly records: readonly FoundRecord[];
}

/** @throws CloudflareError in one sentence, for everything that keeps the API from being used */
export async function surveyAccount(
  api: CloudflareApi,
  { accountId, zone, zoneId }: { accountId: string; zone: string; zoneId: string | null },
): Promise<Survey> {
  const id = zoneId ?? (await api.zoneId(zone));
  if (id === undefined)
    throw new CloudflareError(
      `Cloudflare knows no zone ${zone} that the API token may read: add the zone, or mend p2p:cloudflare.zone`,
      404,
    );
  const [tunnels, records] = await Promise.all([api.tunnels(accountId), api.records(id)]);
  return { zoneId: id, tunnels, records };
}

/**
 * Why a tunnel must not be registered: its name or its record is somebody else's; undefined where nothing is in
 * the way. What an interrupted run has left is ours, and no reason.
 *
 * @param ownsTunnel whether an unknown tunnel of that name is ours
 */
export async function whyForeign(
  wanted: Wanted,
  survey: Survey,
  secret: string,
  ownsTunnel: (tunnel: FoundTunnel) => Promise<boolean>,
): Promise<string | undefined> {
  const { key, hostname, adoption, known } = wanted;
  const setting = key === "entry" ? "adoptEntry" : `adopt.${key.replace(/^node:/, "")}`;
  const record = survey.records.find(
    ({ name, type }) => name.toLowerCase() === hostname && ["A", "AAAA", "CNAME"].includes(type),
  );
  const isOurRecord =
    record === undefined ||
    record.id === adoption.record ||
    record.id === known?.record ||
    record.comment === recordComment(secret, hostname);
  if (!isOurRecord)
    return `the DNS record ${hostname} (${record.type} ${record.content}) is not ours and is left alone: delete it, choose another name with p2p_url, or take it over with p2p:cloudflare.${setting}.record: ${record.id}`;
  const tunnel = survey.tunnels.find(({ name }) => name === hostname);
  if (!tunnel || [known?.tunnel, adoption.tunnel].includes(tunnel.id)) return undefined;
  if (await ownsTunnel(tunnel)) return undefined;
  return `the tunnel name ${hostname} is taken by a tunnel that is not ours and is left alone: delete it, choose another name with p2p_url, or take it over with p2p:cloudflare.${setting}.tunnel: ${tunnel.id}`;
}

/**
 * True when the tunnel's secret is one that this stack has derived for it, which nobody else could have. Where the
 * API token may not read it (a preview's), the name is taken for ours: `up` will say.
 */
export async function provesOwnership(
  api: CloudflareApi,
  account: string,
  tunnel: FoundTunnel,
  { secret, key, generation }: { secret: string; key: string; generation: number },
): Promise<boolean> {
  let token: string;
  try {
    token = await api.tunnelToken(account, tunnel.id);
  } catch (error) {
    return error instanceof CloudflareError && [401, 403].includes(error.status);
  }
  const found = secretInToken(token);
  const own = [generation, generation - 1, generation + 1].map((one) =>
    tunnelSecret(secret, key, one),
  );
  return found !== undefined && own.includes(found);
}
