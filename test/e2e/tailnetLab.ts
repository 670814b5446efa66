/** The lab's tailnet as a test sees it: from its administrator's side, and with packets from host to host. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { type LabFleet } from "./labFleet";

const HOME = "~/ringrift/ai-service";

export const NOTHING = /Resources:\n\s+\d+ unchanged\n/;

/** Everything that a command printed. */
export const both = ({ stdout, stderr }: { stdout: string; stderr: string }): string =>
  stdout + stderr;

/**
 * Two voters on machines, a container of each kind, a machine that joins later, and one outside the fleet.
 * @param names those of them that there are to be
 */
export function tailnetFiles(
  folder: string,
  names: readonly string[] = ["h1", "h2", "h3", "x1", "c1", "c2"],
): { inventory: string; machines: string } {
  const machine = (last: number, provider: string, more: object = {}) => ({
    ...{ ssh_host: `10.77.0.${last}`, p2p_public_host: `10.77.0.${last}`, ssh_user: "root" },
    ...{ ringrift_path: HOME, role: "backbone", status: "ready", p2p_enabled: true, provider },
    ...more,
  });
  const container = (last: number, provider: string, more: object) => ({
    ...{ ssh_host: `10.77.0.${last}`, ssh_user: "root", is_container: true, role: "gpu_selfplay" },
    ...{ status: "ready", p2p_enabled: true, provider, ...more },
  });
  const only = <T extends object>(all: T): object =>
    Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
  const fleet = {
    elo_sync: { coordinator: "h1" },
    p2p_voters: ["h1", "h2"].filter((name) => names.includes(name)),
    hosts: only({
      h1: machine(11, "hetzner", { role: "coordinator" }),
      h2: machine(12, "nebius"),
      h3: machine(13, "nebius", { status: "offline" }),
      x1: machine(16, "hetzner", { p2p_enabled: false }),
      c1: container(21, "vast", {
        supervisor: "supervisord",
        ringrift_path: "/workspace/ringrift/ai-service",
      }),
      c2: container(22, "runpod", { ringrift_path: "/root/ringrift/ai-service" }),
    }),
  };
  const systemd = { kind: "systemd", tun: true, modules: true };
  const machines = only({
    ...{ h1: systemd, h2: systemd, h3: systemd, x1: systemd },
    ...{ c1: { kind: "supervisord", modules: true }, c2: { kind: "bare", modules: true } },
  });
  const files = { inventory: join(folder, "fleet.yaml"), machines: join(folder, "machines.yaml") };
  writeFileSync(files.inventory, stringify(fleet));
  writeFileSync(files.machines, stringify(machines));
  return files;
}

const urlOf = (address: string, port: number): string =>
  `http://${address.includes(":") ? `[${address}]` : address}:${port}/health`;

export interface LabDevice {
  readonly id: string;
  readonly nodeId: string;
  readonly hostname: string;
  readonly addresses: readonly string[];
  readonly tags?: readonly string[];
}

export interface Standing {
  /** tailscaled's process ids. */
  readonly pids: readonly string[];
  /** Node id and address of each device. */
  readonly nodes: readonly (readonly (string | undefined)[])[];
  /** When each daemon was started. */
  readonly daemons: Readonly<Record<string, number | null>>;
}

export class TailnetLab {
  constructor(private readonly fleet: LabFleet) {}

  /** A request to the API, or to the lab's own paths. @throws Error when it is refused */
  async request(method: string, path: string, body?: string): Promise<string> {
    const access = this.fleet.lab.tailnet();
    if (!access) throw new Error("the lab has no tailnet");
    const key = this.fleet.environment["TAILSCALE_API_KEY"] ?? access.apiKey;
    const data =
      body === undefined ? [] : ["--data-binary", "@-", "-H", "Content-Type: application/json"];
    const { code, stdout, stderr } = await this.fleet.lab.exec(
      [
        "curl",
        "-sS",
        "--fail-with-body",
        "-X",
        method,
        "-u",
        `${key}:`,
        ...data,
        `${access.url}${path}`,
      ],
      body === undefined ? {} : { input: body },
    );
    if (code !== 0) throw new Error(`${method} ${path}: ${stdout}${stderr}`);
    return stdout;
  }

  /** What must not change on hosts that nobody means: processes, devices and daemons. */
  async standing(hosts: readonly string[]): Promise<Standing> {
    const devices = await this.devices();
    const pids = await Promise.all(hosts.map((host) => this.fleet.on(host, "pidof tailscaled")));
    const nodes = hosts.map((host) => [devices[host]?.nodeId, devices[host]?.addresses[0]]);
    return { pids, nodes, daemons: await this.fleet.startTimes(hosts) };
  }

  async policy(): Promise<string> {
    return this.request("GET", "/api/v2/tailnet/-/acl");
  }

  async setPolicy(text: string): Promise<void> {
    await this.request("POST", "/api/v2/tailnet/-/acl", text);
  }

  /** A key that was good and was revoked. */
  async revokedKey(): Promise<string> {
    const create = { reusable: true, preauthorized: true, tags: ["tag:vast-nodes"] };
    const body = JSON.stringify({ capabilities: { devices: { create } }, expirySeconds: 600 });
    const made = await this.request("POST", "/api/v2/tailnet/-/keys", body);
    const { id, key } = JSON.parse(made) as { id: string; key: string };
    await this.request("DELETE", `/api/v2/tailnet/-/keys/${id}`);
    return key;
  }

  /** Every auth key that the stack's state holds, in clear; what was printed so far is told without them. */
  async keysInState(): Promise<string[]> {
    const { said } = this.fleet;
    const { stdout } = await this.fleet.pulumi("stack", "export", "--show-secrets");
    this.fleet.said = said;
    return [...new Set(stdout.match(/tskey-auth-\w+-\w+/g))];
  }

  /** How many reusable keys with a class's tag let devices in. */
  async usableKeys(name: string): Promise<number> {
    const { keys } = JSON.parse(await this.request("GET", "/api/v2/tailnet/-/keys")) as {
      keys: { capabilities: { devices: { create: { reusable: boolean; tags: string[] } } } }[];
    };
    return keys.filter(
      ({ capabilities: { devices } }) =>
        devices.create.reusable && devices.create.tags.includes(`tag:${name}`),
    ).length;
  }

  async faults(faults: Readonly<Record<string, unknown>>): Promise<void> {
    await this.request("POST", "/lab/faults", JSON.stringify(faults));
  }

  async devices(): Promise<Record<string, LabDevice>> {
    const text = await this.request("GET", "/api/v2/tailnet/-/devices?fields=all");
    const { devices } = JSON.parse(text) as { devices: LabDevice[] };
    return Object.fromEntries(devices.map((device) => [device.hostname, device]));
  }

  /** Tailnet IPv4 addresses by device. */
  async addresses(): Promise<Record<string, string>> {
    const devices = Object.entries(await this.devices());
    return Object.fromEntries(devices.map(([name, { addresses }]) => [name, addresses[0] ?? ""]));
  }

  /** Whether a TCP port of a tailnet address is reached from a host, by the way that the host's kind has. */
  async reaches(from: string, address: string, port: number): Promise<boolean> {
    const proxy = from.startsWith("c") ? ["-x", "socks5h://localhost:1055"] : [];
    const { code } = await this.fleet.lab.inside(from, [
      ...["curl", "-s", "-g", "-o", "/dev/null", "-m", "4", ...proxy, urlOf(address, port)],
    ]);
    // 1: something answered that is not HTTP, as sshd does.
    return code === 0 || code === 1;
  }

  /** Whose /health it is that answers there; null where nobody does within some seconds. */
  async healthOf(from: string, address: string, seconds = 300): Promise<string | null> {
    const proxy = from.startsWith("c") ? "-x socks5h://localhost:1055" : "";
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const command = `curl -s -g -m 10 ${proxy} '${urlOf(address, 8770)}'`;
      const { code, stdout } = await this.fleet.lab.inside(from, ["sh", "-c", command]);
      if (code === 0) return (JSON.parse(stdout) as { node_id: string }).node_id;
      if (Date.now() >= end) return null;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  /** Joins a machine by hand, as a user's own device without tags. */
  async joinByHand(host: string): Promise<void> {
    const create = { reusable: false, ephemeral: false, preauthorized: true };
    const body = JSON.stringify({ capabilities: { devices: { create } }, expirySeconds: 600 });
    const { key } = JSON.parse(await this.request("POST", "/api/v2/tailnet/-/keys", body)) as {
      key: string;
    };
    const url = this.fleet.lab.tailnet()?.url ?? "";
    // No command line may hold the key.
    await this.fleet.lab.ssh(host, "cat > /root/ts.key", { input: key });
    await this.fleet.on(
      host,
      `set -e; cd /root; curl -sf http://10.77.0.1:8080/mirror/stable/tailscale_1.102.2_amd64.tgz | tar xz --strip-components=1
(setsid ./tailscaled --state=/root/ts.state --statedir=/root/ts >/dev/null 2>&1 </dev/null &) ; for i in $(seq 900); do [ -S /run/tailscale/tailscaled.sock ] && break; sleep 0.2; done
./tailscale up --auth-key=file:/root/ts.key --login-server=${url} --hostname=${host} --timeout=240s; rm /root/ts.key`,
    );
  }
}
