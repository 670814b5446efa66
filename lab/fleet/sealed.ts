import { enterLab } from "./enter";
import { LabError } from "./labError";
import { runChecked } from "./run";

/** One interface, as `ip -details -json link` prints it. */
export interface Link {
  readonly ifname: string;
  readonly master?: string;
  readonly linkinfo?: { readonly info_kind?: string };
}

/**
 * Why a network could reach the outside; an empty list when it cannot. Allowed are the loopback, the bridge and ports
 * of the bridge, and routes to what is directly connected.
 */
export function waysOut(links: readonly Link[], routes: readonly { dst: string }[]): string[] {
  const out = links
    .filter(({ ifname, master, linkinfo }) => {
      if (ifname === "lo" || linkinfo?.info_kind === "bridge") return false;
      return master === undefined || linkinfo?.info_kind === undefined;
    })
    .map(({ ifname }) => `interface ${ifname}`);
  return [...out, ...routes.filter(({ dst }) => dst === "default").map(() => "a default route")];
}

/** @throws LabError "failed" when a packet could leave the lab's network */
export async function assertSealed(init: number): Promise<void> {
  const ip = async (...args: string[]): Promise<unknown> => {
    const argv = enterLab(init, "network", ["ip", "-json", ...args]);
    return JSON.parse((await runChecked("ip", argv)) || "[]");
  };
  const links = (await ip("-details", "link", "show")) as Link[];
  const routes = [
    ...((await ip("-4", "route", "show")) as { dst: string }[]),
    ...((await ip("-6", "route", "show")) as { dst: string }[]),
  ];
  const out = waysOut(links, routes);
  if (out.length > 0) throw new LabError("failed", `the lab is not sealed: ${out.join(", ")}`);
}
