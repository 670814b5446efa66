import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificateFiles, makeCertificates, subjectHash } from "../cloudflare/certificates";
import { API_PORT, LAB_ACCOUNT_ID, LAB_ZONE, LAB_ZONE_ID } from "../cloudflare/names";
import { type HostFile } from "../hosts/files";
import { bundled, startInLab } from "./background";
import { enterLab } from "./enter";
import { type LabDirectory } from "./labDirectory";
import { LAB_ADDRESS, MIRROR } from "./network";
import { projectRoot } from "./projectRoot";
import { run, runChecked } from "./run";

/** The connector's versions in the mirror: what hosts are to run, and one before it. */
export const CONNECTOR_VERSIONS = ["2026.8.2", "2026.7.1"] as const;
const ARCHITECTURES = { x86_64: "amd64", aarch64: "arm64" } as const;

/** sha256 of a connector's binary, by machine type. */
export type Checksums = Readonly<Record<keyof typeof ARCHITECTURES, string>>;

/** What tests and the program need to know of a lab's Cloudflare. */
export interface CloudflareLab {
  /** Ends in /client/v4. */
  readonly apiUrl: string;
  /** What steers the stand-in: faults, limits, journal; see docs/lab.md. */
  readonly adminUrl: string;
  /** May do everything. */
  readonly apiToken: string;
  readonly accountId: string;
  readonly zone: string;
  readonly zoneId: string;
  /** Path of the authority's certificate on this machine. */
  readonly ca: string;
  /** By version of the connector. */
  readonly checksums: Readonly<Record<string, Checksums>>;
}

const folderOf = (directory: LabDirectory): string => directory.file("cloudflare");

/** A lab's Cloudflare, null for a lab without one. */
export function findCloudflare(directory: LabDirectory): CloudflareLab | null {
  const folder = folderOf(directory);
  if (!existsSync(join(folder, "checksums.json"))) return null;
  const origin = `http://${LAB_ADDRESS}:${API_PORT}`;
  const checksums = readFileSync(join(folder, "checksums.json"), "utf8");
  return {
    apiUrl: `${origin}/client/v4`,
    adminUrl: `${origin}/lab`,
    apiToken: readFileSync(join(folder, "api-token"), "utf8"),
    accountId: LAB_ACCOUNT_ID,
    zone: LAB_ZONE,
    zoneId: LAB_ZONE_ID,
    ca: certificateFiles(folder).ca.cert,
    checksums: JSON.parse(checksums) as CloudflareLab["checksums"],
  };
}

export interface CloudflareStatus {
  /** URL of the API. */
  readonly url: string;
  readonly state: "down" | "up";
  /** Tunnels that are not deleted, and those of them that have a connector; null while it is down. */
  readonly tunnels: number | null;
  readonly connected: number | null;
}

/** Looks at the lab's Cloudflare; null for a lab without one. Never fails, never takes longer than 3 s. */
export async function cloudflareStatus(
  directory: LabDirectory,
  init: number,
): Promise<CloudflareStatus | null> {
  const cloudflare = findCloudflare(directory);
  if (cloudflare === null) return null;
  const { apiUrl: url, adminUrl } = cloudflare;
  const argv = ["curl", "--silent", "--max-time", "3", `${adminUrl}/state`];
  const { code, stdout } = await run(enterLab(init, "network", argv), { timeout: 5_000 });
  if (code !== 0) return { url, state: "down", tunnels: null, connected: null };
  const { tunnels } = JSON.parse(stdout) as {
    tunnels: { deletedAt: string | null; connectors: unknown[] }[];
  };
  const live = tunnels.filter(({ deletedAt }) => deletedAt === null);
  const connected = live.filter(({ connectors }) => connectors.length > 0).length;
  return { url, state: "up", tunnels: live.length, connected };
}

/** What points the program at the lab's Cloudflare; the token travels beside the settings, as an operator's would. */
export function cloudflareSettings(directory: LabDirectory): {
  readonly config: Readonly<Record<string, unknown>>;
  readonly env: NodeJS.ProcessEnv;
} {
  const cloudflare = findCloudflare(directory);
  if (cloudflare === null) return { config: {}, env: {} };
  const { apiUrl, apiToken, accountId, zone, zoneId, checksums } = cloudflare;
  const version = CONNECTOR_VERSIONS[0];
  const cloudflared = { version, sha256: checksums[version] };
  const config = {
    "cloudflare:baseUrl": apiUrl,
    "p2p:mirror": MIRROR,
    "p2p:cloudflare": { accountId, zone, zoneId, cloudflared },
  };
  return { config, env: { CLOUDFLARE_API_TOKEN: apiToken } };
}

/** File with what the program derives the tunnels' secrets from, null for a lab without Cloudflare. */
export function cloudflareSecret(directory: LabDirectory): string | null {
  const file = join(folderOf(directory), "tunnel-secret");
  return existsSync(file) ? file : null;
}

/** Builds the stand-in connector where the vendor would have it in the mirror. */
async function buildConnectors(directory: LabDirectory): Promise<Record<string, Checksums>> {
  const script = join(projectRoot(), "lab", "cloudflare", "connector", "build.py");
  const build = async (version: string, machine: keyof typeof ARCHITECTURES): Promise<string> => {
    const arch = ARCHITECTURES[machine];
    const path = `cloudflare/cloudflared/releases/download/${version}/cloudflared-linux-${arch}`;
    const file = join(directory.mirror(), path);
    await runChecked("stand-in connector", ["python3", script, file, version, arch]);
    const digest = createHash("sha256").update(readFileSync(file)).digest("hex");
    writeFileSync(`${file}.sha256`, `${digest}\n`);
    return digest;
  };
  const entries = CONNECTOR_VERSIONS.map(async (version) => {
    const [x86, arm] = await Promise.all([build(version, "x86_64"), build(version, "aarch64")]);
    return [version, { x86_64: x86, aarch64: arm }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** What makes a host look names up in the lab's DNS and trust the lab's authority. */
async function hostFiles(ca: string, base: string): Promise<HostFile[]> {
  const bundle = "/etc/ssl/certs/ca-certificates.crt";
  const certificate = readFileSync(ca, "utf8");
  const trusted = readFileSync(`${base}/root${bundle}`, "utf8");
  return [
    {
      path: "/etc/resolv.conf",
      content: `nameserver ${LAB_ADDRESS}\noptions timeout:2 attempts:2\n`,
    },
    { path: "/usr/local/share/ca-certificates/fleet-lab.crt", content: certificate },
    { path: bundle, content: trusted + certificate },
    // Where programs look that read the folder and not the bundle, such as Python.
    { path: `/etc/ssl/certs/${await subjectHash(ca)}.0`, content: certificate },
  ];
}

/**
 * Starts the lab's Cloudflare, which ends with the lab.
 * @param init process ID of the lab's first process
 * @param base directory of the hosts' base root
 * @returns files that every host needs before it starts
 * @throws LabError when it does not listen within 120 s
 */
export async function startCloudflare(
  directory: LabDirectory,
  init: number,
  base: string,
): Promise<HostFile[]> {
  const folder = folderOf(directory);
  mkdirSync(folder, { mode: 0o700 });
  const token = randomBytes(30).toString("base64url");
  writeFileSync(join(folder, "api-token"), token, { mode: 0o600 });
  writeFileSync(join(folder, "tunnel-secret"), randomBytes(32).toString("hex"), { mode: 0o600 });
  const [checksums] = await Promise.all([
    buildConnectors(directory),
    makeCertificates(folder, LAB_ZONE),
  ]);
  const argv = [...bundled("lab/cloudflare/main.ts"), LAB_ADDRESS, folder];
  await startInLab("Cloudflare", init, join(folder, "log"), argv, join(folder, "ready"));
  writeFileSync(join(folder, "checksums.json"), JSON.stringify(checksums));
  return hostFiles(certificateFiles(folder).ca.cert, base);
}
