import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { startInLab } from "./background";
import { enterLab } from "./enter";
import { type LabDirectory } from "./labDirectory";
import { LabError } from "./labError";
import { LAB_ADDRESS, MIRROR } from "./network";
import { run } from "./run";
import { labTailscaleVersion, type TailnetCache } from "./tailnetCache";

/** The control server and the API, which share an address. */
export const TAILNET_URL = `http://${LAB_ADDRESS}:8081`;

/** How to get into the lab's tailnet as its administrator. */
export interface TailnetAccess {
  /** Control server (`tailscale up --login-server`) and base URL of the API. */
  readonly url: string;
  readonly apiKey: string;
  /** An OAuth client with every scope, which may give any of the policy's tags that TAILNET_OAUTH_TAG owns. */
  readonly oauthClientId: string;
  readonly oauthClientSecret: string;
}

/** The tag of the OAuth client's own. */
export const TAILNET_OAUTH_TAG = "tag:fleet";

// As lab/tailnet/config.go reads it.
interface ServerConfig {
  readonly apiKeys: readonly string[];
  readonly oauthClients: readonly { readonly id: string; readonly secret: string }[];
}

const folder = (directory: LabDirectory): string => directory.file("tailnet");
const configFile = (directory: LabDirectory): string => join(folder(directory), "config.json");

/** Null for a lab without a tailnet. */
export function tailnetAccess(directory: LabDirectory): TailnetAccess | null {
  if (!existsSync(configFile(directory))) return null;
  const config = JSON.parse(readFileSync(configFile(directory), "utf8")) as ServerConfig;
  const [apiKey = ""] = config.apiKeys;
  const [client] = config.oauthClients;
  return {
    url: TAILNET_URL,
    apiKey,
    oauthClientId: client?.id ?? "",
    oauthClientSecret: client?.secret ?? "",
  };
}

function newConfig(): object {
  const random = (bytes: number): string => randomBytes(bytes).toString("hex");
  return {
    listen: `${LAB_ADDRESS}:8081`,
    url: TAILNET_URL,
    derpListen: `${LAB_ADDRESS}:8443`,
    stunListen: `${LAB_ADDRESS}:3478`,
    tailnet: "lab.example",
    domain: "lab.ts.net",
    user: "operator@lab.example",
    apiKeys: [`tskey-api-k${random(5)}CNTRL-${random(16)}`],
    oauthClients: [
      {
        id: `k${random(5)}CNTRL`,
        secret: `tskey-client-k${random(5)}CNTRL-${random(16)}`,
        scopes: ["all"],
        tags: [TAILNET_OAUTH_TAG],
      },
    ],
  };
}

/**
 * Starts the tailnet's server within a lab and returns once it answers; it ends with the lab.
 * @throws LabError "failed", with its log, when it does not within 120 s
 */
export async function startTailnet(
  directory: LabDirectory,
  init: number,
  cache: TailnetCache,
): Promise<void> {
  mkdirSync(folder(directory), { mode: 0o700 });
  writeFileSync(configFile(directory), JSON.stringify(newConfig()), { mode: 0o600 });
  symlinkSync(join(cache.mirror, "stable"), join(directory.mirror(), "stable"));
  const ready = join(folder(directory), "ready");
  const server = [cache.server, "-config", configFile(directory), "-ready", ready];
  await startInLab("tailnet", init, directory.file("tailnet.log"), server, ready);
}

/** Somebody who works with a real tailnet may have its credentials in the environment. */
const NO_OTHERS = {
  TAILSCALE_OAUTH_CLIENT_ID: "",
  TAILSCALE_OAUTH_CLIENT_SECRET: "",
  TAILSCALE_IDENTITY_TOKEN: "",
  TAILSCALE_TAILNET: "",
  TAILSCALE_BASE_URL: "",
  OAUTH_CLIENT_ID: "",
  OAUTH_CLIENT_SECRET: "",
};

/** What the program has to know to use the lab's tailnet; the API's key comes by the environment, as in production. */
export function tailnetSettings(directory: LabDirectory): {
  readonly config: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string>>;
} {
  const access = tailnetAccess(directory);
  if (access === null) return { config: {}, env: {} };
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  const stable = join(directory.mirror(), "stable");
  const sum = readdirSync(stable).find((name) => name.endsWith(".tgz.sha256"));
  if (sum === undefined) throw new LabError("failed", `${stable}: no archive of tailscale`);
  return {
    config: {
      "tailscale:baseUrl": TAILNET_URL,
      "p2p:mirror": MIRROR,
      "p2p:tailnet": {
        loginServer: TAILNET_URL,
        version: labTailscaleVersion(),
        // Built here, so not the vendor's bytes.
        sha256: { [machine]: readFileSync(join(stable, sum), "utf8").trim() },
      },
    },
    env: { ...NO_OTHERS, TAILSCALE_API_KEY: access.apiKey },
  };
}

/** What `fleet lab status` says of the tailnet. */
export interface TailnetStatus {
  readonly url: string;
  readonly state: "down" | "up";
  /** Devices in the tailnet and those of them that are connected; null while it is down. */
  readonly devices: number | null;
  readonly connected: number | null;
}

/** Looks at the lab's tailnet; null for a lab without one. Never fails, never takes longer than 3 s. */
export async function tailnetStatus(
  directory: LabDirectory,
  init: number,
): Promise<TailnetStatus | null> {
  if (!existsSync(configFile(directory))) return null;
  const argv = ["curl", "--silent", "--max-time", "3", `${TAILNET_URL}/lab/status`];
  const { code, stdout } = await run(enterLab(init, "network", argv), { timeout: 5_000 });
  if (code !== 0) return { url: TAILNET_URL, state: "down", devices: null, connected: null };
  const { nodes } = JSON.parse(stdout) as { nodes: { connectedToControl: boolean }[] };
  const connected = nodes.filter((node) => node.connectedToControl).length;
  return { url: TAILNET_URL, state: "up", devices: nodes.length, connected };
}
