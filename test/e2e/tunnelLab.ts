/** A lab with Cloudflare, as the tests of tunnels use it. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { type CloudflareLab } from "../../lab/fleet/cloudflare";
import { run } from "../../lab/fleet/run";
import { type Engine, LabFleet } from "./labFleet";
import { smallLab, type SmallLab } from "./smallLab";

/** What the stand-in shows of itself. */
export interface CloudflareState {
  readonly tunnels: readonly {
    readonly id: string;
    readonly name: string;
    readonly deletedAt: string | null;
  }[];
  readonly records: readonly {
    readonly id: string;
    readonly name: string;
    readonly type: string;
  }[];
  readonly applications: readonly unknown[];
  readonly policies: readonly unknown[];
  readonly serviceTokens: readonly { readonly name: string }[];
}

export class TunnelLab {
  private constructor(
    readonly fleet: LabFleet,
    readonly cloudflare: CloudflareLab,
    private readonly folder: string,
  ) {}

  static async up(engine: Engine, hosts: SmallLab): Promise<TunnelLab> {
    const folder = mkdtempSync(join(tmpdir(), "p2p-tunnels-"));
    const fleet = await LabFleet.up(engine, { ...smallLab(folder, hosts), with: ["cloudflare"] });
    const cloudflare = fleet.lab.cloudflare();
    if (!cloudflare) throw new Error("the lab has no Cloudflare");
    return new TunnelLab(fleet, cloudflare, folder);
  }

  async down(): Promise<void> {
    await this.fleet.lab.down();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Changes `p2p:cloudflare` of the lab's stack; undefined removes a key. The stack has to be there. */
  set(path: readonly string[], value: unknown): void {
    const file = join(this.fleet.lab.directory.file("project"), "Pulumi.lab.yaml");
    const document = parseDocument(readFileSync(file, "utf8"));
    const full = ["config", "p2p:cloudflare", ...path];
    if (value === undefined) document.deleteIn(full);
    else document.setIn(full, value);
    writeFileSync(file, document.toString({ lineWidth: 0 }));
  }

  /** Steers the stand-in. */
  async admin(method: string, path: string, body?: unknown): Promise<unknown> {
    return this.request(method, `${this.cloudflare.adminUrl}${path}`, body);
  }

  /** Asks the API as its owner. */
  async api(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    return (await this.request(method, `${this.cloudflare.apiUrl}${path}`, body)) as Record<
      string,
      unknown
    >;
  }

  async state(): Promise<CloudflareState> {
    return (await this.admin("GET", "/state")) as CloudflareState;
  }

  /** Names of tunnels that are not deleted, and of records. */
  async names(): Promise<{ tunnels: string[]; records: string[] }> {
    const { tunnels, records } = await this.state();
    return {
      tunnels: tunnels
        .filter(({ deletedAt }) => !deletedAt)
        .map(({ name }) => name)
        .sort(),
      records: records.map(({ name }) => name).sort(),
    };
  }

  /** Puts the client on a host. */
  async installClient(host: string): Promise<void> {
    const input = readFileSync(join(__dirname, "tunnelClient.py"), "utf8");
    const { code, stderr } = await this.fleet.lab.ssh(host, "cat > /root/client.py", { input });
    if (code !== 0) throw new Error(stderr);
  }

  /**
   * Which nodes, or statuses, answer a host that asks a URL so many times.
   * @param edge name whose address is dialled, for a name that the zone does not know
   */
  async answers(
    host: string,
    url: string,
    number = 1,
    kind: "token" | "none" = "token",
    edge = "",
  ): Promise<Record<string, number>> {
    const command = `python3 /root/client.py count ${kind} ${number} ${url} ${edge}`;
    return JSON.parse(await this.fleet.on(host, command)) as Record<string, number>;
  }

  private async request(method: string, url: string, body: unknown): Promise<unknown> {
    const argv = [
      ...["curl", "-s", "-m", "110", "-X", method],
      ...["-H", `Authorization: Bearer ${this.cloudflare.apiToken}`],
      ...(body === undefined ? [] : ["-d", JSON.stringify(body)]),
      url,
    ];
    const { stdout } = await run(this.fleet.lab.argv(argv), { timeout: 120_000 });
    return stdout === "" ? undefined : (JSON.parse(stdout) as unknown);
  }
}
