import { parse } from "yaml";
import { z } from "zod";
import { LabError } from "../fleet/labError";
import { isInLabNet } from "../fleet/network";

/** What a host of the lab is made of; `dead` is an address with nobody behind it. */
export type MachineKind = "systemd" | "supervisord" | "bare" | "dead";

/** One host of the lab: what its inventory entry says about reaching it, and what stands behind the address. */
export interface Machine {
  readonly name: string;
  readonly kind: MachineKind;
  /** IPv4 address, the entry's ssh_host. */
  readonly address: string;
  /** Login user; any other than root gets passwordless sudo. */
  readonly user: string;
  /** Absolute path of the checkout on the host, null when the entry has none. */
  readonly checkout: string | null;
  /** The daemon's port. @default 8770 */
  readonly port: number;
  /** Whether a TUN device can be opened. @default false */
  readonly tun: boolean;
  /** Whether a container may change its network, as one that was started with `--cap-add=NET_ADMIN`. @default false */
  readonly netAdmin: boolean;
  /** Whether the checkout has a virtual environment (without pip). @default false */
  readonly venv: boolean;
  /** Whether somebody has installed the daemon's Python packages there already. @default false */
  readonly modules: boolean;
  /** Whether /workspace is a volume, which outlives the disk. @default false */
  readonly volume?: boolean;
}

const rawMachine = z.strictObject({
  kind: z.enum(["systemd", "supervisord", "bare", "dead"]),
  tun: z.boolean().default(false),
  netAdmin: z.boolean().default(false),
  venv: z.boolean().default(false),
  modules: z.boolean().default(false),
  volume: z.boolean().optional(),
});

const rawEntry = z.object({
  ssh_host: z.string(),
  ssh_user: z.string().nullish(),
  ringrift_path: z.string().nullish(),
  p2p_port: z.number().nullish(),
  is_container: z.boolean().nullish(),
});

const rawInventory = z.object({ hosts: z.record(z.string(), rawEntry) });

function check<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new LabError("input", `${what}:\n${z.prettifyError(result.error)}`);
}

/** The home directory of a login user. */
export function homeOf(user: string): string {
  return user === "root" ? "/root" : `/home/${user}`;
}

/**
 * Reads the lab's hosts from an inventory and from the facts about what stands behind each address.
 * A host without facts is a bare container if its entry says `is_container`, else a systemd machine.
 * @throws LabError "input" when a text does not parse, a name or user cannot be one on a host, an address is outside
 *   the lab's net or used twice, or facts name an unknown host.
 */
export function readMachines(inventory: string, facts: string): Machine[] {
  const { hosts } = check(rawInventory, parse(inventory), "inventory");
  const known = check(z.record(z.string(), rawMachine), parse(facts) ?? {}, "machines");
  const stranger = Object.keys(known).find((name) => !(name in hosts));
  if (stranger !== undefined) {
    throw new LabError("input", `machines: "${stranger}" is not a host of the inventory`);
  }
  const taken = new Map<string, string>();
  return Object.entries(hosts).map(([name, entry]) => {
    const address = entry.ssh_host;
    if (!/^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(name)) {
      throw new LabError(
        "input",
        `hosts."${name}": the lab gives a host its name, which is letters, digits, "-" and "."`,
      );
    }
    if (!isInLabNet(address)) {
      throw new LabError(
        "input",
        `hosts.${name}.ssh_host: "${address}" is not an address the lab can give to a host`,
      );
    }
    const other = taken.get(address);
    if (other !== undefined) {
      throw new LabError("input", `hosts.${name}.ssh_host: ${address} belongs to ${other} already`);
    }
    taken.set(address, name);
    const user = entry.ssh_user ?? "root";
    if (!/^[a-z_][a-z0-9_-]*$/.test(user)) {
      throw new LabError("input", `hosts.${name}.ssh_user: "${user}" cannot be a user of a host`);
    }
    const fact = known[name] ?? {
      kind: entry.is_container === true ? ("bare" as const) : ("systemd" as const),
      tun: false,
      netAdmin: false,
      venv: false,
      modules: false,
    };
    return {
      name,
      ...fact,
      address,
      user,
      checkout: entry.ringrift_path?.replace(/^~(?=\/|$)/, homeOf(user)) ?? null,
      port: entry.p2p_port ?? 8770,
    };
  });
}

/** Whether somebody stands behind the address. */
export function isAlive(machine: Machine): boolean {
  return machine.kind !== "dead";
}
