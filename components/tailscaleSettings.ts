import * as pulumi from "@pulumi/pulumi";
import { TailnetApi } from "../tailnet/api";
import { apiAccess, type Setting, SETTINGS } from "../tailnet/credentials";
import { textOf } from "./secretText";

/** The provider's own settings, so that both use the same account. */
async function providerSettings(): Promise<Partial<Record<Setting, string>>> {
  const config = new pulumi.Config("tailscale");
  const entries = SETTINGS.map(async (setting) => {
    const value = config.getSecret(setting);
    return value === undefined ? [] : [[setting, await textOf(value)]];
  });
  return Object.fromEntries((await Promise.all(entries)).flat()) as Partial<
    Record<Setting, string>
  >;
}

/** Access to the API with the provider's credentials; null without any. */
export async function tailnetApi(): Promise<TailnetApi | null> {
  const settings = await providerSettings();
  try {
    const access = apiAccess(settings);
    return access && new TailnetApi(access);
  } catch (error) {
    // A `file:` that is not there, or a base URL that is none.
    throw new pulumi.RunError(
      `tailscale: its settings cannot be used: ${(error as Error).message}`,
    );
  }
}
