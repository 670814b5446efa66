/** What tests of the firewall do on a lab: the agent's wish alone, listeners, and scans from many addresses. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Lab } from "../../lab/fleet/lab";
import { factsRequest } from "../../payload/compare";
import { renderActivate, renderPrepare } from "../../payload/render";
import {
  type FactsRequest,
  type FirewallSpec,
  type PreparePresent,
  type ActivateSpec,
} from "../../payload/spec";
import { planOf } from "../payload/plans";

const INDEX = { kind: "index", url: "http://10.77.0.1:8080/simple/" } as const;
const text = (name: string): string => readFileSync(join(__dirname, name), "utf8");

/** What a host is to be, with no more of it than the firewall needs. */
export function wishFor(
  name: string,
  supervisor: "systemd" | "own",
  firewall: FirewallSpec | null,
): {
  readonly prepare: PreparePresent;
  readonly activate: ActivateSpec;
  readonly request: FactsRequest;
} {
  // A container's daemon listens on the loopback.
  const listen = supervisor === "own" ? "127.0.0.1" : "0.0.0.0";
  const connection = { ...planOf().connection, user: "root" };
  const place = { name, supervisor, connection, aiServicePath: "/root", provider: "vast" } as const;
  const plan = planOf({ ...place, listen });
  const options = { inventory: null, clusterToken: null, index: INDEX };
  const rendered = renderPrepare(plan, { ...options, firewall });
  // A container's supervisord applies the rules at its start.
  const required: Record<string, string> =
    supervisor === "own" ? { "supervisor.supervisord": "supervisor" } : {};
  const prepare = { ...rendered, python: { ...rendered.python, required } };
  const activate = renderActivate(plan, options);
  return { prepare, activate, request: factsRequest(prepare, activate, null) };
}

/** What a shell on a host prints. @throws Error when it fails */
export async function inside(lab: Lab, host: string, script: string): Promise<string> {
  const done = await lab.inside(host, ["sh", "-ec", script], { timeout: 600_000 });
  if (done.code !== 0)
    throw new Error(`${host}: ${script}: ${done.code} ${done.stdout} ${done.stderr}`);
  return done.stdout;
}

/** Something that answers on ports of a host (`8770/tcp`), over both families, until the host restarts. */
export async function listen(lab: Lab, host: string, ports: readonly string[]): Promise<void> {
  await lab.ssh(host, "cat > /root/listen.py", { input: text("listen.py") });
  const words = ports.join(" ");
  // They are opened in this order.
  const last = parseInt(ports.filter((port) => port.endsWith("/tcp")).at(-1) ?? "");
  await inside(
    lab,
    host,
    `setsid -f python3 /root/listen.py ${words} >/dev/null 2>&1 </dev/null
for try in $(seq 900); do
  python3 -c "import socket; socket.create_connection(('127.0.0.1', ${last}))" 2>/dev/null && exit 0
  sleep 0.2
done
exit 1`,
  );
}

/**
 * Ports that are open to a source address.
 * @param from the host that dials; null: the lab's own network, where all other addresses are
 */
export async function openPorts(
  lab: Lab,
  from: string | null,
  target: string,
  source: string,
  ports: readonly string[],
): Promise<string[]> {
  const argv = ["python3", "-c", text("scan.py")];
  const input = `${target} ${source} ${ports.join(",")}\n`;
  const done =
    from === null ? await lab.exec(argv, { input }) : await lab.inside(from, argv, { input });
  return done.stdout.split("\n").flatMap((line) => {
    const [, port = "", state] = line.split(" ");
    return state === "open" ? [port] : [];
  });
}
