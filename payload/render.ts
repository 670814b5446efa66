import { renderNodeConf } from "../hosts/plan/nodeConf";
import { type DeployHostPlan } from "../hosts/plan/types";
import { sha256, shortDigest } from "./digest";
import { type Facts } from "./facts";
import { joinParts } from "./hostPart";
import { BASE, clusterTokenPath, NODE_CONF, NODE_ID, VENV_PYTHON } from "./names";
import { renderService, renderSupport } from "./renderService";
import {
  type Absent,
  type ActivatePresent,
  type FileContent,
  type FirewallSpec,
  type HostPart,
  type Launch,
  type ManagedFile,
  type PackageIndex,
  type PreparePresent,
  type Release,
  type SecretsSpec,
  type ServiceManager,
} from "./spec";

export interface RenderOptions {
  /** Text of the inventory for the daemon; null puts none there. It has to be staged: see `stageScript`. */
  readonly inventory: string | null;
  /** What runs the host, if a probe has seen it. @default null: the plan's word alone */
  readonly init?: Facts["init"] | null;
  /**
   * The fleet's token. `required` only once every deployed host has the file: a daemon that has a token
   * refuses the others' heartbeats.
   */
  readonly clusterToken: { readonly digest: string; readonly required: boolean } | null;
  /** @default { kind: "default" } */
  readonly index?: PackageIndex;
  /** @default null: the host's own package sources */
  readonly aptMirror?: string | null;
  /** `p2p:source`; the commit is told to the daemon too, so a new one means a restart. @default null */
  readonly source?: { readonly repository: string; readonly commit: string } | null;
  /** `p2p:takeover`. @default false */
  readonly takeover?: boolean;
  /** Seconds. @default 120 */
  readonly deadlineSeconds?: number;
  /** What the host gets beside the daemon: tailnet, tunnel, paths. @default [] */
  readonly parts?: readonly HostPart[];
  /** @default null: no rule of ours */
  readonly firewall?: FirewallSpec | null;
}

const HEADER = "# Managed by p2p-fleet: edits are overwritten by the next run.";

/** Module → requirement. pydantic is needed too though the daemon's own check does not name it. */
const REQUIRED: Readonly<Record<string, string>> = {
  psutil: "psutil",
  yaml: "PyYAML",
  aiohttp: "aiohttp",
  pydantic: "pydantic",
};
/** What a provider's containers run at their start, also when we are the first to write it. */
const START_SCRIPTS: Readonly<Record<string, string>> = {
  vast: "/root/onstart.sh",
  runpod: "/post_start.sh",
};

/** Without it the daemon passes over its SOCKS proxy in silence. */
const SOCKS: Readonly<Record<string, string>> = { aiohttp_socks: "aiohttp-socks" };

/** What does not restart the daemon: packages, the venv, its inventory, the checkout, support services. */
export function renderPrepare(plan: DeployHostPlan, options: RenderOptions): PreparePresent {
  const manager = managerOf(plan, options);
  const own: Readonly<Record<string, string>> =
    manager === "own" ? { "supervisor.supervisord": "supervisor" } : {};
  const part = joinParts(options.parts ?? []);
  const inventory = options.inventory;
  const source = options.source ?? null;
  return {
    state: "present",
    node: plan.name,
    aiServicePath: plan.aiServicePath,
    python: {
      interpreter: plan.interpreter.path,
      required: { ...REQUIRED, ...own },
      wanted: {
        ...(plan.networking === "userspace" && !plan.forwarded ? SOCKS : {}),
        ...part.pythonWanted,
      },
      user: plan.connection.user,
      index: options.index ?? { kind: "default" },
    },
    aptMirror: options.aptMirror ?? null,
    files: [...inventoryFiles(plan, inventory), ...part.files],
    source: source && {
      ...source,
      path: plan.aiServicePath.replace(/\/ai-service$/, ""),
      owner: plan.connection.user,
    },
    tools: part.tools,
    manager,
    startScript: startScriptOf(plan, manager),
    services: part.services.map((service) => renderSupport(manager, service, part)),
    firewall: options.firewall ?? null,
  };
}

function inventoryFiles(plan: DeployHostPlan, text: string | null): ManagedFile[] {
  if (text === null) return [];
  const path = `${plan.aiServicePath}/config/distributed_hosts.yaml`;
  return [managedFile(path, { staged: true }, plan.connection.user, text)];
}

function startScriptOf(plan: DeployHostPlan, manager: ServiceManager): string | null {
  return manager === "own" ? (START_SCRIPTS[plan.provider] ?? null) : null;
}

/**
 * The plan guesses the supervisor from the file; where that one cannot run the daemon, what really runs
 * the host does. `own` works in every container, so it is never overruled there.
 */
export function managerOf(plan: DeployHostPlan, options: RenderOptions): ServiceManager {
  const init = options.init ?? null;
  if (init === null || plan.supervisor === init) return plan.supervisor;
  if (init === "systemd" || init === "launchd") return init;
  return plan.supervisor === "own" || init === "none" ? "own" : init;
}

/** The release and how its health is judged. A difference here means one restart. */
export function renderActivate(plan: DeployHostPlan, options: RenderOptions): ActivatePresent {
  const release = renderRelease(plan, options);
  return {
    state: "present",
    node: plan.name,
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
  return { state: "absent", node };
}

/**
 * The secret files of a host: the fleet's token, where there is one, and what its parts bring; there may be none.
 * @param token its digest is keyed, the same that `RenderOptions.clusterToken` carries
 */
export function renderSecrets(
  plan: DeployHostPlan,
  token: { readonly text: string; readonly digest: string } | null,
  parts: readonly HostPart[] = [],
): SecretsSpec {
  const owner = plan.connection.user;
  const files = [
    ...(token
      ? [{ path: clusterTokenPath(token.digest), content: token.text, digest: token.digest, owner }]
      : []),
    ...joinParts(parts).secrets,
  ];
  return { node: plan.name, files };
}

/** Keyed digest of the cluster token that a release requires; null: none. */
export function requiredToken({ secrets }: Release): string | null {
  const digests = Object.entries(secrets).filter(
    ([path, digest]) => path === clusterTokenPath(digest),
  );
  return digests[0]?.[1] ?? null;
}

/** Digest of everything whose change needs a restart. */
export function releaseDigest(release: Release): string {
  return shortDigest(release);
}

function renderRelease(plan: DeployHostPlan, options: RenderOptions): Release {
  const token = options.clusterToken?.required ? options.clusterToken.digest : null;
  const user = plan.connection.user;
  const manager = managerOf(plan, options);
  return {
    manager,
    user,
    startScript: startScriptOf(plan, manager),
    launch: renderLaunch(plan, options),
    service: renderService(manager, user),
    files: [
      plainFile(NODE_CONF, `${HEADER}\n${renderNodeConf(plan.nodeConf)}`),
      plainFile(NODE_ID, `${plan.name}\n`),
    ],
    secrets: token === null ? {} : { [clusterTokenPath(token)]: token },
  };
}

function renderLaunch(plan: DeployHostPlan, options: RenderOptions): Launch {
  const peers = plan.peerAddresses.filter((address) => address !== "").join(",");
  const relays = plan.relayAddresses.filter((address) => address !== "").join(",");
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
  const more: Record<string, string> = {
    ...(options.clusterToken?.required
      ? { RINGRIFT_CLUSTER_AUTH_TOKEN_FILE: clusterTokenPath(options.clusterToken.digest) }
      : {}),
    ...(options.source ? { RINGRIFT_BUILD_VERSION: options.source.commit } : {}),
    ...joinParts(options.parts ?? []).environment,
  };
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
      ...more,
    },
  };
}

/** An address that the host itself can dial when the daemon listens on `listen`. */
function reachableFromItself(listen: string): string {
  if (listen === "0.0.0.0") return "127.0.0.1";
  return listen === "::" ? "::1" : listen;
}

function plainFile(path: string, text: string): ManagedFile {
  return managedFile(path, { text }, "root", text);
}

function managedFile(path: string, file: FileContent, owner: string, text: string): ManagedFile {
  return { path, mode: "0644", owner, digest: sha256(text), ...file };
}
