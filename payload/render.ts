import { deflateSync } from "node:zlib";
import { type DeployHostPlan } from "../hosts/plan/types";
import { packAgent } from "./agent";
import { sha256, shortDigest } from "./digest";
import { BASE, CLUSTER_TOKEN, NODE_CONF, NODE_ID, VENV_PYTHON } from "./names";
import { renderConf } from "./renderConf";
import { renderService } from "./renderService";
import {
  type Absent,
  type ActivatePresent,
  type FileContent,
  type Launch,
  type ManagedFile,
  type PackageIndex,
  type PreparePresent,
  type Release,
  type SecretsSpec,
} from "./spec";

export interface RenderOptions {
  /** Text of the inventory for the daemon; null puts none there. */
  readonly inventory: string | null;
  /** Address of a node as `--peers` wants it, such as `http://127.64.0.7:8770`; null leaves the node out. */
  readonly peerAddress: (node: string) => string | null;
  /**
   * The fleet's token. `required` only once every deployed host has the file: a daemon that has a token
   * refuses the others' heartbeats.
   */
  readonly clusterToken: { readonly digest: string; readonly required: boolean } | null;
  /** @default { kind: "default" } */
  readonly index?: PackageIndex;
  /** @default null: the host's own package sources */
  readonly aptMirror?: string | null;
  /** `p2p:source`. @default null */
  readonly source?: { readonly repository: string; readonly commit: string } | null;
  /** `p2p:takeover`. @default false */
  readonly takeover?: boolean;
  /** Seconds. @default 120 */
  readonly deadlineSeconds?: number;
}

/** Module → requirement. pydantic is needed too though the daemon's own check does not name it. */
const REQUIRED: Readonly<Record<string, string>> = { psutil: "psutil", yaml: "PyYAML", aiohttp: "aiohttp", pydantic: "pydantic" };
/** The SOCKS proxy is passed over in silence without the one, the watchdog without the other. */
const WANTED: Readonly<Record<string, string>> = { aiohttp_socks: "aiohttp-socks", sdnotify: "sdnotify" };

/** What restarts nothing: packages, the venv, the daemon's inventory, the checkout. */
export function renderPrepare(plan: DeployHostPlan, options: RenderOptions): PreparePresent {
  const own: Readonly<Record<string, string>> =
    plan.supervisor === "own" ? { "supervisor.supervisord": "supervisor" } : {};
  const inventory = options.inventory;
  const source = options.source ?? null;
  return {
    state: "present",
    node: plan.name,
    agent: packAgent().digest,
    aiServicePath: plan.aiServicePath,
    python: {
      interpreter: plan.interpreter.path,
      required: { ...REQUIRED, ...own },
      wanted: WANTED,
      user: plan.connection.user,
      index: options.index ?? { kind: "default" },
    },
    aptMirror: options.aptMirror ?? null,
    files:
      inventory === null
        ? []
        : [
            managedFile(
              `${plan.aiServicePath}/config/distributed_hosts.yaml`,
              pack(inventory),
              plan.connection.user,
              inventory,
            ),
          ],
    source: source && {
      ...source,
      path: plan.aiServicePath.replace(/\/ai-service$/, ""),
      owner: plan.connection.user,
    },
  };
}

/** The release and how its health is judged. A difference here means one restart. */
export function renderActivate(plan: DeployHostPlan, options: RenderOptions): ActivatePresent {
  const release = renderRelease(plan, options);
  return {
    state: "present",
    node: plan.name,
    agent: packAgent().digest,
    digest: releaseDigest(release),
    release,
    health: {
      address: reachableFromItself(plan.listen),
      port: plan.port,
      deadlineSeconds: options.deadlineSeconds ?? 120,
    },
    takeover: options.takeover ?? false,
  };
}

/** Spec of a host on which nothing of ours is to stay, for `prepare` and `activate` alike. */
export function renderAbsent(node: string): Absent {
  return { state: "absent", node, agent: packAgent().digest };
}

/**
 * The secret files of a host.
 * @param digest keyed digest of the token, the same that `RenderOptions.clusterToken` carries
 */
export function renderSecrets(plan: DeployHostPlan, token: string, digest: string): SecretsSpec {
  const file = { path: CLUSTER_TOKEN, content: token, digest, owner: plan.connection.user };
  return { node: plan.name, agent: packAgent().digest, files: [file] };
}

/** Digest of everything whose change needs a restart. */
export function releaseDigest(release: Release): string {
  return shortDigest(release);
}

function renderRelease(plan: DeployHostPlan, options: RenderOptions): Release {
  const token = options.clusterToken?.required ? options.clusterToken.digest : null;
  const user = plan.connection.user;
  return {
    manager: plan.supervisor,
    user,
    launch: renderLaunch(plan, options),
    service: renderService(plan.supervisor, user),
    files: [plainFile(NODE_CONF, renderConf(plan.nodeConf)), plainFile(NODE_ID, `${plan.name}\n`)],
    secrets: token === null ? {} : { [CLUSTER_TOKEN]: token },
  };
}

function renderLaunch(plan: DeployHostPlan, options: RenderOptions): Launch {
  const addresses = (nodes: readonly string[]): string =>
    [...new Set(nodes.map(options.peerAddress))].filter((address) => address).join(",");
  const peers = addresses(plan.peers);
  // The daemon takes a relay only if the identical string is among the peers.
  const relays = plan.relay
    ? addresses(plan.relays.filter((node) => plan.peers.includes(node)))
    : "";
  const argv = [
    VENV_PYTHON,
    "scripts/p2p_orchestrator.py",
    ...["--node-id", plan.name],
    ...["--host", plan.listen],
    ...["--port", String(plan.port)],
    ...["--advertise-host", plan.advertise],
    ...["--advertise-port", String(plan.port)],
    ...["--ringrift-path", plan.aiServicePath],
    // An empty element would stop its heartbeats, so no peers means no flag.
    ...(peers === "" ? [] : ["--peers", peers]),
    ...(relays === "" ? [] : ["--relay-peers", relays]),
    // The check needs lsof and kills whatever does not answer on the port; ours is the manager's to kill.
    "--no-zombie-check",
    ...(options.clusterToken?.required ? ["--require-auth"] : []),
  ];
  const token: Record<string, string> = options.clusterToken?.required
    ? { RINGRIFT_CLUSTER_AUTH_TOKEN_FILE: CLUSTER_TOKEN }
    : {};
  return {
    argv,
    workingDirectory: plan.aiServicePath,
    environment: {
      HOME: plan.home,
      LANG: "C.UTF-8",
      LOGNAME: plan.connection.user,
      PATH: `${BASE}/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      // Bytecode goes where leaving can remove it, not into the checkout.
      PYTHONPYCACHEPREFIX: `${BASE}/cache/pycache`,
      PYTHONUNBUFFERED: "1",
      USER: plan.connection.user,
      ...plan.environment,
      ...token,
    },
  };
}

/** An address that the host itself can dial when the daemon listens on `listen`. */
function reachableFromItself(listen: string): string {
  if (listen === "0.0.0.0") return "127.0.0.1";
  return listen === "::" ? "::1" : listen;
}

function pack(content: string): FileContent {
  return { packed: deflateSync(content, { level: 9 }).toString("base64") };
}

function plainFile(path: string, text: string): ManagedFile {
  return managedFile(path, { text }, "root", text);
}

function managedFile(path: string, file: FileContent, owner: string, text: string): ManagedFile {
  return { path, mode: "0644", owner, digest: sha256(text), ...file };
}
