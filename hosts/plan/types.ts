/** The plan: what will be done with every host, and why. Decided from the file alone, so it is pure data. */

export type Action = "deploy" | "skip" | "refused";

/** What starts the daemon at boot and restarts it. `own`: a supervisord in our own venv plus the container's start script. */
export type Supervisor = "systemd" | "supervisord" | "launchd" | "own";

/** How the tailnet reaches the host's processes: a TUN device, or tailscaled's userspace networking. */
export type Networking = "tun" | "userspace";

/** Of a daemon that listens on all addresses: whether rules of ours close its ports to strangers. */
export type Exposure = "loopback" | "all, firewalled" | "all, exposed";

export type TransportKind = "tailscale" | "cloudflare" | "direct" | "relay" | "none";

/** How the controller logs in. `~` in `keyPath` is the operator's home. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Path of the private key on the controller; null means the ssh agent. */
  readonly keyPath: string | null;
  /** Pinned host key in authorized_keys form; null means untrusted: nothing is done there (D7). */
  readonly hostKey: string | null;
  readonly jump: Jump | null;
}

export interface Jump {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly keyPath: string | null;
  readonly hostKey: string | null;
  /** Inventory name, when the jump host is one of the file's hosts. */
  readonly name: string | null;
}

/** Addresses offered to other nodes, per path; null where that path does not lead to this host. */
export interface Addresses {
  /** Tailnet IPv4 or IPv6. */
  readonly tailscale: string | null;
  /** https URL of the node's own tunnel. */
  readonly cloudflare: string | null;
  /** Public address or DNS name. */
  readonly direct: string | null;
}

/** A path that this stack makes, and of which the inventory knows nothing yet. */
export type PlannedPath = "tailscale" | "cloudflare";

/** What leads to a host: known addresses, and paths to come. */
export interface Ways {
  readonly addresses: Addresses;
  /** Only where the path forwarders are: they find out about a new path, daemons do not. */
  readonly planned: readonly PlannedPath[];
}

/** The Python that the plan starts from; missing packages go into a venv of ours that sees its packages. */
export interface Interpreter {
  /** Absolute path, or `python3` to be found on the host. */
  readonly path: string;
  readonly origin: "venv_activate" | "system";
}

export interface AuthKeyClass {
  /** Name of the key class, such as `vast-nodes`. */
  readonly class: string;
  /** Tags of the device, sorted. */
  readonly tags: readonly string[];
}

interface HostPlanBase {
  readonly name: string;
  readonly reason: string;
  readonly provider: string;
  /** Stable number of the node (D10), 1 to 4194302; null for a refused host. */
  readonly number: number | null;
}

/** A host that is left alone; `action` says whether the file asks for that or is wrong about it. */
export interface IdleHostPlan extends HostPlanBase {
  readonly action: "skip" | "refused";
  /** True where the file says that nothing of ours may stay on it (`status: retired`). */
  readonly leaving: boolean;
  /** Where to log in to take things down; null for hosts that are not leaving. */
  readonly connection: Connection | null;
}

/** A host that will run the daemon. */
export interface DeployHostPlan extends HostPlanBase {
  readonly action: "deploy";
  readonly connection: Connection;
  readonly supervisor: Supervisor;
  readonly container: boolean;
  readonly networking: Networking;
  /** The first path that leads here, and why that one. */
  readonly transport: { readonly kind: TransportKind; readonly reason: string };
  /** Absolute home of the login user on the host. */
  readonly home: string;
  /** Absolute path of the ai-service directory. */
  readonly aiServicePath: string;
  readonly interpreter: Interpreter;
  readonly number: number;
  /** 127.64.0.0/10 plus the number; the same on every host. */
  readonly loopback: string;
  /** TCP port of the daemon. */
  readonly port: number;
  /** TCP port by which other hosts reach this one: the daemon's, or the path forwarder's. */
  readonly networkPort: number;
  /** TCP port that leads there at its direct address: a port mapping's, or `networkPort`. */
  readonly directPort: number;
  /** True where connections between nodes go through the path forwarders. */
  readonly forwarded: boolean;
  /** Order in which paths to this host are tried; null: the fleet's. */
  readonly methods: readonly TransportKind[] | null;
  /** Address the daemon binds. */
  readonly listen: string;
  /** Where the daemon can be reached. */
  readonly exposure: Exposure;
  /** Address the daemon tells others. */
  readonly advertise: string;
  readonly addresses: Addresses;
  /** Paths that this stack makes to the host beside its addresses; empty without path forwarders. */
  readonly planned: readonly PlannedPath[];
  /** True where the fleet's shared entry is the only known way to the others: the nodes are learnt there too. */
  readonly entryOnly: boolean;
  /** Node ids given as --peers: effective voters and relays, without itself, sorted. */
  readonly peers: readonly string[];
  /** `host:port` or URL of every peer, as this node reaches it; same order as `peers`; then the entry where `entryOnly`. */
  readonly peerAddresses: readonly string[];
  /** Those of `peerAddresses` that are relays; empty outside relay mode. */
  readonly relayAddresses: readonly string[];
  /** Node ids tried first; never empty. */
  readonly seeds: readonly string[];
  /** True when heartbeats go through a relay. */
  readonly relay: boolean;
  readonly relayReason: string | null;
  /** Relays this node may use, preferred first. */
  readonly relays: readonly string[];
  readonly relayHub: boolean;
  /** True for an effective voter. */
  readonly voter: boolean;
  /** True where the process may lead (RINGRIFT_IS_COORDINATOR). */
  readonly coordinator: boolean;
  readonly authKey: AuthKeyClass;
  /** Key and value of /etc/ringrift/node.conf, sorted by key. */
  readonly nodeConf: Readonly<Record<string, string>>;
  /** The daemon's environment, sorted by name. No secrets. */
  readonly environment: Readonly<Record<string, string>>;
}

export type HostPlan = DeployHostPlan | IdleHostPlan;

export interface VoterPlan {
  /** Unique declared node ids, sorted. */
  readonly declared: readonly string[];
  /** Deployed and routable ones, sorted. */
  readonly effective: readonly string[];
  readonly rejected: readonly { readonly node: string; readonly reason: string }[];
  /** floor(declared / 2) + 1. */
  readonly quorum: number;
  /** effective minus quorum; below zero no quorum can stand. */
  readonly margin: number;
}

export interface FleetPlan {
  /** Every host of the file, sorted by name. */
  readonly hosts: ReadonlyMap<string, HostPlan>;
  readonly voters: VoterPlan;
  /** Deployed, reachable relay hubs, sorted. */
  readonly relays: readonly string[];
  /** The node that leads first; null when no deployed host has the role. */
  readonly coordinator: string | null;
  /** Nodes that serve the fleet's shared entry (the effective voters), sorted. */
  readonly entry: readonly string[];
  /** Order in which paths are tried. */
  readonly methods: readonly TransportKind[];
}
