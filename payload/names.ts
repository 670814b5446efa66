/** Names of what is put on a host. The agent's `paths.py` holds the same ones; a test compares them. */

/** Everything of ours that is not configuration or a log. */
export const BASE = "/opt/ringrift-p2p";
export const LOG_DIR = "/var/log/ringrift-p2p";
/** The daemon's output where no journal takes it. */
export const DAEMON_LOG = `${LOG_DIR}/daemon.log`;
export const AGENT_LOG = `${LOG_DIR}/agent.log`;

/**
 * Unit, program and job carry this name. Not `ringrift-p2p`: five older tools install a unit of that name,
 * and their `systemctl restart ringrift-p2p` must not reach ours.
 */
export const SERVICE = "ringrift-p2p-node";
export const UNIT_PATH = `/etc/systemd/system/${SERVICE}.service`;
export const LAUNCHD_LABEL = "com.ringrift.p2p-node";
export const LAUNCHD_PATH = `/Library/LaunchDaemons/${LAUNCHD_LABEL}.plist`;

export const NODE_CONF = "/etc/ringrift/node.conf";
export const NODE_ID = "/etc/ringrift/node-id";
/** What every token's path begins with. */
export const CLUSTER_TOKEN = "/etc/ringrift/cluster-token-";
/** Each token has a file of its own: a daemon that restarts in the middle of a rotation finds the one it had. */
export function clusterTokenPath(digest: string): string {
  return `${CLUSTER_TOKEN}${digest.replace(/[^0-9a-z]/g, "").slice(0, 8)}`;
}

/** What the release that runs is made of. */
export const RELEASE_FILE = `${BASE}/current/release.json`;
/** The venv whose interpreter runs the daemon. */
export const VENV_PYTHON = `${BASE}/venv/bin/python`;
/** What the supervisor starts: reads `release.json` beside it and becomes the daemon. */
export const LAUNCHER = `${BASE}/current/run`;

/** Pinned binaries, a directory for each version; `BIN` has a link to the one in use. */
export const TOOLS = `${BASE}/tools`;
export const BIN = `${BASE}/bin`;
/** What is known of each support service on the host. */
export const SUPPORT = `${BASE}/services`;

/** Tool and support service. */
export const TAILSCALED = "tailscaled";

/** Path of a tool, whatever its version. */
export function toolPath(name: string): string {
  return `${BIN}/${name}`;
}

/** Unit or program of a support service. */
export function supportName(name: string): string {
  return `ringrift-p2p-${name}`;
}
