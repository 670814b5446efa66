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
  /** null: nobody asked. */
  readonly dns: Seen<DnsSettings> | null;
}

const NO_CREDENTIALS =
  "there are no credentials for the Tailscale API (tailscale:apiKey, or tailscale:oauthClientId and oauthClientSecret)";

/**
 * @param api null: there are no credentials
 * @param withDns the tailnet's DNS settings are to be ours
 */
export async function surveyTailnet(api: TailnetApi | null, withDns: boolean): Promise<Survey> {
  if (api === null) {
    const nothing = { why: NO_CREDENTIALS };
    return { policy: nothing, devices: nothing, keys: nothing, dns: withDns ? nothing : null };
  }
  const [policy, devices, keys, dns] = await Promise.all([
    see(api.policy()),
    see(api.devices()),
    see(api.allowsKeys()),
    withDns ? see(api.dns()) : null,
  ]);
  return { policy, devices, keys, dns };
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
