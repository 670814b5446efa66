/** Hosts that are in a tailnet, and not in the one that the credentials are for. Pure. */

import { type Facts } from "../payload/facts";
import { type Device } from "./api";

/** What a MagicDNS name says of its tailnet. */
function tailnetOf(name: string): string {
  return name.replace(/^[^.]*\.?/, "").replace(/\.$/, "");
}

/**
 * One warning for each such tailnet. A device that has just joined may not be listed yet: its name tells then.
 * @param hosts their facts by name
 * @param devices that the API lists
 */
export function strangerWarnings(
  hosts: ReadonlyMap<string, Facts | undefined>,
  devices: readonly Device[],
): string[] {
  const ids = new Set(devices.flatMap(({ id, nodeId }) => [id, nodeId]));
  const ours = [...new Set(devices.map(({ name }) => tailnetOf(name)))].filter(Boolean).sort();
  const found = new Map<string, string[]>();
  for (const [host, facts] of hosts) {
    const device = facts?.tailnet;
    if (device?.backend !== "Running" || !device.name || !device.nodeId) continue;
    const tailnet = tailnetOf(device.name);
    if (tailnet === "" || ids.has(device.nodeId) || ours.includes(tailnet)) continue;
    found.set(tailnet, [...(found.get(tailnet) ?? []), host]);
  }
  const which = ours.length === 0 ? "which has no device" : ours.join(", ");
  return [...found].map(
    ([tailnet, names]) =>
      `tailnet: ${names.join(", ")} ${names.length === 1 ? "is" : "are"} in ${tailnet}, and the credentials are for another tailnet (${which}): its policy and its keys are not for them; log out there (tailscale logout), and the next up joins them`,
  );
}
