/** The unmodified program on the embedded engine, with the lab's Cloudflare on loopback and hosts that nobody may log in to. */

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { LAB_ACCOUNT_ID, LAB_ZONE } from "../../lab/cloudflare/names";
import { projectRoot } from "../../lab/fleet/projectRoot";
import { run, type RunResult } from "../../lab/fleet/run";
import { API_TOKEN, Loopback } from "../lab/cloudflare/loopback";

export const STACK_SECRET = "planted-cloudflare-secret-9c41";

/** Every stack's own; what a checkout keeps for itself is not linked. */
const NOT_LINKED: ReadonlySet<string> = new Set([".git", ".cache", "Pulumi.lab.yaml"]);

export interface StackState {
  readonly deployment: {
    readonly resources?: readonly { readonly urn: string; readonly id?: string }[];
    readonly pending_operations?: readonly unknown[];
  };
}

export class CloudflareStack {
  /** Nodes of the inventory; `h1` and `h2` are voters. */
  hosts: Record<string, Record<string, unknown>> = { h1: {}, h2: {}, g1: {} };
  /** `p2p:cloudflare`, without what is always there. */
  settings: Record<string, unknown> = {};
  /** Other keys of the stack. */
  config: Record<string, unknown> = {};
  environment: Record<string, string> = {};

  private constructor(
    readonly cloudflare: Loopback,
    readonly folder: string,
  ) {}

  static async start(): Promise<CloudflareStack> {
    const folder = mkdtempSync(join(tmpdir(), "cloudflare-stack-"));
    const source = projectRoot();
    mkdirSync(join(folder, "project"));
    mkdirSync(join(folder, "state"));
    for (const name of readdirSync(source))
      if (!NOT_LINKED.has(name)) symlinkSync(join(source, name), join(folder, "project", name));
    return new CloudflareStack(await Loopback.start(), folder);
  }

  async close(): Promise<void> {
    await this.cloudflare.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async up(): Promise<RunResult> {
    return this.pulumi("up", "--yes", "--skip-preview", "--suppress-outputs");
  }

  /** @returns what was printed @throws Error where the run does not end well */
  async mustUp(): Promise<string> {
    const { code, stdout, stderr } = await this.up();
    if (code !== 0) throw new Error(`up ended with ${code}\n${stdout}\n${stderr}`);
    return stdout + stderr;
  }

  /** Runs a Pulumi command, with the settings and the inventory as they are now. */
  async pulumi(...args: string[]): Promise<RunResult> {
    this.write();
    return run([this.engine, ...args, "--stack", "lab", "--non-interactive"], {
      cwd: join(this.folder, "project"),
      env: this.env(),
    });
  }

  get engine(): string {
    return join(projectRoot(), "lab", "bin", "pulumi");
  }

  async state(): Promise<StackState> {
    return JSON.parse((await this.pulumi("stack", "export")).stdout) as StackState;
  }

  async outputs(): Promise<Record<string, unknown>> {
    const { stdout } = await this.pulumi("stack", "output", "--json");
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  /** Names of what stands at Cloudflare. */
  async names(): Promise<Record<"tunnels" | "records" | "access", string[]>> {
    const state = (await this.cloudflare.admin("GET", "/state")) as Record<
      string,
      { name: string; deletedAt?: string | null }[]
    >;
    const of = (key: string): string[] =>
      (state[key] ?? [])
        .filter(({ deletedAt }) => !deletedAt)
        .map(({ name }) => name)
        .sort();
    return {
      tunnels: of("tunnels"),
      records: of("records"),
      access: ["applications", "policies", "serviceTokens"].map(
        (kind) => `${state[kind]?.length ?? 0} ${kind}`,
      ),
    };
  }

  private env(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      PATH: `${join(projectRoot(), "lab", "bin")}:${process.env.PATH ?? ""}`,
      PULUMI_ENGINE: "embedded",
      PULUMI_BACKEND_URL: `file://${join(this.folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "passphrase of a test",
      CLOUDFLARE_API_TOKEN: API_TOKEN,
      LAB_CLOUDFLARE_BACKOFF_MS: "5",
      FLEET_LAB: this.folder,
      ...this.environment,
    };
  }

  private write(): void {
    const hosts = Object.entries(this.hosts).map(([name, more], index) => [
      name,
      {
        ssh_host: `192.0.2.${index + 1}`,
        ringrift_path: "/opt/ringrift/ai-service",
        p2p_enabled: true,
        status: "ready",
        ...(name === "h1" ? { role: "coordinator" } : {}),
        ...more,
      },
    ]);
    const inventory = { p2p_voters: ["h1", "h2"], hosts: Object.fromEntries(hosts) as object };
    const digest = "0".repeat(64);
    const config = {
      "p2p:inventory": join(this.folder, "hosts.yaml"),
      // Nobody can log in to a host without a pinned key: that is no failure here.
      "p2p:policy": { maxUnreachable: "100%" },
      "cloudflare:baseUrl": this.cloudflare.apiUrl,
      "p2p:cloudflareSecret": STACK_SECRET,
      "p2p:cloudflare": {
        accountId: LAB_ACCOUNT_ID,
        zone: LAB_ZONE,
        cloudflared: { version: "2026.8.2", sha256: { x86_64: digest, aarch64: digest } },
        ...this.settings,
      },
      ...this.config,
    };
    writeFileSync(join(this.folder, "hosts.yaml"), stringify(inventory));
    const file = join(this.folder, "project", "Pulumi.lab.yaml");
    // The engine keeps its salt there.
    const salt = existsSync(file) ? /^encryptionsalt: .*$/m.exec(readFileSync(file, "utf8")) : null;
    writeFileSync(file, `${salt?.[0] ?? ""}\n${stringify({ config })}`);
  }
}
