import * as pulumi from "@pulumi/pulumi";
import { type Setting, SETTINGS } from "../tailnet/credentials";

/** The provider's own settings, so that both use the same account. */
export async function providerSettings(): Promise<Partial<Record<Setting, string>>> {
  const config = new pulumi.Config("tailscale");
  const entries = SETTINGS.map(async (setting) => {
    const value = config.getSecret(setting);
    if (value === undefined) return [];
    const text = await new Promise<string>((resolve) => {
      pulumi.unsecret(value).apply(resolve);
    });
    return [[setting, text]];
  });
  return Object.fromEntries((await Promise.all(entries)).flat()) as Partial<
    Record<Setting, string>
  >;
}
