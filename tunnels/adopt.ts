/** Makes an existing tunnel and record what is wanted, so that they can be imported as they are. */

import { type CloudflareApi, CloudflareError } from "./api";
import { type Survey, type Wanted } from "./survey";
import { secretInToken } from "./token";

/**
 * Changes only what differs. @throws CloudflareError in one sentence where they cannot be taken over
 * @param secret the tunnel's derived secret, base64
 */
export async function prepareAdoption(
  api: CloudflareApi,
  account: string,
  survey: Survey,
  wanted: Wanted,
  options: { readonly secret: string; readonly comment: string },
): Promise<void> {
  const { hostname, adoption } = wanted;
  if (adoption.tunnel !== null) await prepareTunnel(api, account, wanted, options.secret);
  if (adoption.record === null) return;
  const record = survey.records.find(({ id }) => id === adoption.record);
  const tunnel = adoption.tunnel ?? wanted.known?.tunnel;
  if (!record)
    throw refuse(`there is no DNS record ${adoption.record} in the zone that could be taken over`);
  if (record.type !== "CNAME" || record.name.toLowerCase() !== hostname)
    throw refuse(
      `the DNS record ${record.name} (${record.type}) cannot be taken over: it has to be the CNAME record ${hostname}`,
    );
  if (tunnel === undefined) return;
  const content = `${tunnel}.cfargotunnel.com`;
  const { comment } = options;
  const isWanted =
    record.content === content && record.comment === comment && record.proxied === true;
  if (!isWanted)
    await api.editRecord(survey.zoneId, record.id, { content, comment, proxied: true, ttl: 1 });
}

async function prepareTunnel(
  api: CloudflareApi,
  account: string,
  { hostname, adoption }: Wanted,
  secret: string,
): Promise<void> {
  const id = adoption.tunnel ?? "";
  const tunnel = await api.tunnel(account, id);
  if (tunnel.deleted_at) throw refuse(`the tunnel ${id} was deleted: it cannot be taken over`);
  if (tunnel.config_src === "local")
    throw refuse(
      `the tunnel ${id} is configured on its own machine: only one that is configured at Cloudflare can be taken over`,
    );
  const found = secretInToken(await api.tunnelToken(account, id));
  if (tunnel.name !== hostname || found !== secret)
    await api.editTunnel(account, id, { name: hostname, tunnel_secret: secret });
}

function refuse(text: string): CloudflareError {
  return new CloudflareError(text, 409);
}
