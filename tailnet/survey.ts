/** What the tailnet is like before a run changes anything; what cannot be seen is told with its reason. */

import { type Device, type TailnetApi, TailnetApiError } from "./api";

export type Seen<T> = { readonly value: T } | { readonly why: string };

export interface Survey {
  /** Text of the policy file. */
  readonly policy: Seen<string>;
  readonly devices: Seen<readonly Device[]>;
}

const NO_CREDENTIALS =
  "there are no credentials for the Tailscale API (tailscale:apiKey, or tailscale:oauthClientId and oauthClientSecret)";

/** @param api null: there are no credentials */
export async function surveyTailnet(api: TailnetApi | null): Promise<Survey> {
  if (api === null) return { policy: { why: NO_CREDENTIALS }, devices: { why: NO_CREDENTIALS } };
  const [policy, devices] = await Promise.all([see(api.policy()), see(api.devices())]);
  return { policy, devices };
}

async function see<T>(answer: Promise<T>): Promise<Seen<T>> {
  try {
    return { value: await answer };
  } catch (error) {
    if (error instanceof TailnetApiError) return { why: error.message };
    throw error;
  }
}
