/** What the tailnet is like before a run changes anything; what cannot be seen is told with its reason. */

import { type Device, type TailnetApi, TailnetApiError } from "./api";
import { type DnsSettings } from "./dns";

export type Seen<T> = { readonly value: T } | { readonly why: string };

export interface Survey {
  /** Text of the policy file. */
  readonly policy: Seen<string>;
  readonly devices: Seen<readonly Device[]>;
  /** Whether auth keys can be made. */
  readonly keys: Seen<true>;
  /** Ids of keys for start scripts that let nobody in any more. */
  readonly goneKeys: Seen<readonly string[]>;
  /** null: nobody asked. */
  readonly dns: Seen<DnsSettings> | null;
}

const NO_CREDENTIALS =
  "there are no credentials for the Tailscale API (tailscale:apiKey, or tailscale:oauthClientId and oauthClientSecret)";

/**
 * @param api null: there are no credentials
 * @param withDns the tailnet's DNS settings are to be ours
 * @param keyIds of the keys for start scripts that are known
 */
export async function surveyTailnet(
  api: TailnetApi | null,
  withDns: boolean,
  keyIds: readonly string[] = [],
): Promise<Survey> {
  if (api === null) {
    const nothing = { why: NO_CREDENTIALS };
    const dns = withDns ? nothing : null;
    return { policy: nothing, devices: nothing, keys: nothing, goneKeys: nothing, dns };
  }
  const [policy, devices, keys, goneKeys, dns] = await Promise.all([
    see(api.policy()),
    see(api.devices()),
    see(api.allowsKeys()),
    see(api.goneKeys(keyIds)),
    withDns ? see(api.dns()) : null,
  ]);
  return { policy, devices, keys, goneKeys, dns };
}

/** What an answer is, or why there is none. */
export async function see<T>(answer: Promise<T>): Promise<Seen<T>> {
  try {
    return { value: await answer };
  } catch (error) {
    if (error instanceof TailnetApiError) return { why: error.message };
    throw error;
  }
}
