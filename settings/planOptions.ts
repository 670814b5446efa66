/** What the plan has to know of the stack's configuration. */

import { type PlanOptions } from "../hosts/plan/planFleet";
import { type CloudflareSettings } from "./cloudflare";
import { type FirewallSettings } from "./firewall";
import { type PathsSettings } from "./paths";
import { type TailnetSettings } from "./tailnet";

export function planOptionsOf(config: {
  readonly controller: string | undefined;
  readonly cloudflare: CloudflareSettings | null;
  readonly firewall: FirewallSettings | null;
  readonly paths: PathsSettings | null;
  readonly tailnet: TailnetSettings | null;
}): PlanOptions {
  const { controller, cloudflare, firewall, paths, tailnet } = config;
  return {
    ...(controller === undefined ? {} : { controller }),
    ...(cloudflare === null ? {} : { tunnels: cloudflare }),
    ...(paths === null ? {} : { paths }),
    tailnet: tailnet !== null,
    firewall,
  };
}
