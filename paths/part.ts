/** What a host gets for its paths: the forwarder, its settings, the list of nodes, the fleet's secret. */

import { type DeployHostPlan } from "../hosts/plan/types";
import { sha256 } from "../payload/digest";
import { forwarderProgram } from "../payload/forwarder";
import { EMPTY_PART } from "../payload/hostPart";
import { BASE, CLUSTER_TOKEN, RELEASE_FILE, VENV_PYTHON } from "../payload/names";
import { type HostPart, type ManagedFile } from "../payload/spec";
import { type PathsSettings } from "../settings/paths";

const FOLDER = `${BASE}/paths`;
export const FORWARDER_SERVICE = "forwarder";
export const FORWARDER = `${FOLDER}/forwarder.py`;
export const SETTINGS = `${FOLDER}/settings.json`;
export const NODES = `${FOLDER}/nodes.json`;
const STATE = `${FOLDER}/state`;
export const FLEET_SECRET = "/etc/ringrift/fleet-secret";

export interface PartOptions {
  readonly settings: PathsSettings;
  /** `renderNodes`. */
  readonly nodes: string;
  /** The secret's text, and a digest keyed by itself. */
  readonly secret: { readonly text: string; readonly digest: string };
  /** How the host is on the tailnet; `none` leaves that path out. */
  readonly tailnet: "none" | "tun" | "userspace";
  /** Path on the host of the tunnels' Access headers; null: there are none. */
  readonly accessFile: string | null;
  /** Text of that file where it is not the tunnels' own: headers for the entry of a mesh that is joined. @default null */
  readonly access?: { readonly text: string; readonly digest: string } | null;
  /** True for the nodes that answer at the fleet's shared entry. */
  readonly servesEntry: boolean;
}

/** Only the program itself restarts the forwarder: it finds out about new settings, nodes and secrets. */
export function forwarderPart(host: DeployHostPlan, options: PartOptions): HostPart {
  const user = host.connection.user;
  const { access = null } = options;
  const secret = (path: string, { text, digest }: PartOptions["secret"]) => ({
    ...{ path, content: text, digest, owner: user },
  });
  return {
    ...EMPTY_PART,
    files: [
      staged(FORWARDER, forwarderProgram()),
      plain(SETTINGS, renderSettings(host, options), "root"),
      staged(NODES, options.nodes),
      // Makes the folder that the forwarder writes to, which may not run as root.
      plain(`${STATE}/README`, "Events and the last good settings of the path forwarder.\n", user),
    ],
    services: [
      {
        name: FORWARDER_SERVICE,
        argv: [
          ...[VENV_PYTHON, "-IB", FORWARDER],
          ...["--settings", SETTINGS, "--nodes", NODES, "--state", STATE],
        ],
        environment: { PYTHONUNBUFFERED: "1" },
        user,
        tools: [],
        files: [FORWARDER],
        secrets: { [FLEET_SECRET]: options.secret.digest },
        ready: { url: `http://127.0.0.1:${options.settings.adminPort}/ready` },
        readySeconds: 30,
        cutsOff: false,
        // Within the two misses after which others leave the path.
        restartSeconds: 1,
      },
    ],
    secrets: [
      secret(FLEET_SECRET, options.secret),
      ...(access && options.accessFile ? [secret(options.accessFile, access)] : []),
    ],
  };
}

/** Texts of the staged files, by digest. */
export function forwarderContents({ nodes }: Pick<PartOptions, "nodes">): [string, string][] {
  return [forwarderProgram(), nodes].map((text) => [sha256(text), text]);
}

function renderSettings(host: DeployHostPlan, options: PartOptions): string {
  const { inboundPort, adminPort, socks, caFile, ...timing } = options.settings;
  const own = {
    node: host.name,
    daemonPort: host.port,
    inboundPort,
    adminPort,
    tailnet: options.tailnet,
    ...(options.tailnet === "userspace" ? { socks } : {}),
    secretFile: FLEET_SECRET,
    releaseFile: RELEASE_FILE,
    tokenPrefix: CLUSTER_TOKEN,
    ...(options.accessFile === null ? {} : { accessFile: options.accessFile }),
    ...(caFile === null ? {} : { caFile }),
    servesEntry: options.servesEntry,
    ...timing,
  };
  return `${JSON.stringify(own, null, 2)}\n`;
}

function plain(path: string, text: string, owner: string): ManagedFile {
  return { path, text, digest: sha256(text), mode: "0644", owner };
}

function staged(path: string, text: string): ManagedFile {
  return { path, staged: true, digest: sha256(text), mode: "0644", owner: "root" };
}
