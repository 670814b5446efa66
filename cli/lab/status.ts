import { type Command } from "commander";
import { type CloudflareStatus } from "../../lab/fleet/cloudflare";
import { type Lab } from "../../lab/fleet/lab";
import { type TailnetStatus } from "../../lab/fleet/tailnet";
import { guarded, labSubcommand } from "./action";

/** `fleet lab status` */
export function statusCommand(): Command {
  return labSubcommand("status", "what the lab sees of its hosts, from outside")
    .option("--json", "as JSON")
    .action(
      guarded(async (options: { id?: string; json?: boolean }) => {
        const { Lab } = await import("../../lab/fleet/lab");
        const lab = Lab.attach(options.id);
        process.stdout.write(await statusReport(lab, options.json === true));
      }),
    );
}

/** The hosts of a lab as a table, or as JSON with the paths that other programs need. */
export async function statusReport(lab: Lab, json: boolean): Promise<string> {
  const [hosts, tailnet, cloudflare] = await Promise.all([
    lab.status(),
    lab.tailnetStatus(),
    lab.cloudflareStatus(),
  ]);
  if (json) {
    const { id, inventory } = lab;
    const services = { ...(tailnet ? { tailnet } : {}), ...(cloudflare ? { cloudflare } : {}) };
    const report = { id, directory: lab.directory.path, inventory, hosts, services };
    return `${JSON.stringify(report, null, 2)}\n`;
  }
  const { default: Table } = await import("cli-table3");
  const table = new Table({
    head: ["host", "kind", "address", "user", "state", "sshd", "daemon", "faults"],
    style: { head: [], border: [] },
  });
  for (const host of hosts) {
    const { name, kind, address, user, state, daemon, faults } = host;
    const listens = host.sshd ? "listens" : "-";
    table.push([name, kind, address, user, state, listens, daemon, faults.join(", ") || "-"]);
  }
  const lines = [
    ...(tailnet ? [tailnetLine(tailnet)] : []),
    ...(cloudflare ? [cloudflareLine(cloudflare)] : []),
  ];
  return [`lab ${lab.id}, ${lab.inventory}`, table.toString(), ...lines, ""].join("\n");
}

function cloudflareLine({ url, state, tunnels, connected }: CloudflareStatus): string {
  const counts = tunnels === null ? "" : `, ${tunnels} tunnels, ${connected} of them connected`;
  return `cloudflare: ${state}, ${url}${counts}`;
}

function tailnetLine({ url, state, devices, connected }: TailnetStatus): string {
  const counts = devices === null ? "" : `, ${devices} devices, ${connected} of them connected`;
  return `tailnet: ${state}, ${url}${counts}`;
}
