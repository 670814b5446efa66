/**
 * What is said to a host: the JSON on the commands' stdin. Desired state only; `prepare` and `activate`
 * carry no secret, because their difference is read by a person in preview.
 */

/** Text as it is, or staged beside the agent where many hosts share something long (the inventory). */
export type FileContent = { readonly text: string } | { readonly staged: true };

export type ManagedFile = FileContent & {
  /** Absolute path. */
  readonly path: string;
  /** sha256 of the content, hex. */
  readonly digest: string;
  /** Four octal digits, such as `0644`. */
  readonly mode: string;
  /** Login name of the owner; `root` unless the daemon has to write or own it. */
  readonly owner: string;
};

/** Where Python packages come from. */
export type PackageIndex =
  | { readonly kind: "default" }
  | { readonly kind: "index"; readonly url: string }
  | { readonly kind: "wheelhouse"; readonly path: string };

export interface PythonSpec {
  /** The plan's interpreter: absolute path, or `python3` to be found on the host. */
  readonly interpreter: string;
  /** Module to import → requirement to install when the import fails. Without one of these the daemon dies. */
  readonly required: Readonly<Record<string, string>>;
  /** The same for packages that the daemon can do without; a failure is reported, nothing more. */
  readonly wanted: Readonly<Record<string, string>>;
  readonly index: PackageIndex;
  /** Login name the daemon runs as: packages in that user's home count too. */
  readonly user: string;
}

export interface SourceSpec {
  readonly repository: string;
  /** Full commit id. */
  readonly commit: string;
  /** Root of the checkout on the host. */
  readonly path: string;
  readonly owner: string;
}

/** Where one build of a tool comes from. */
export interface ToolSource {
  /** At the vendor, or below `p2p:mirror`. */
  readonly url: string;
  /** sha256 of what the URL gives, hex. */
  readonly sha256: string;
  /** Path of the binary inside a .tgz; null: what the URL gives is the binary. */
  readonly member: string | null;
}

/** A pinned binary: `tools/<name>-<version>/<name>` below the base directory, linked from `bin/<name>`. */
export interface Tool {
  readonly name: string;
  readonly version: string;
  /** By the machine's own word (`uname -m`); machines whose checksum is not configured are left out. */
  readonly sources: { readonly x86_64?: ToolSource; readonly aarch64?: ToolSource };
}

/** How it is told that a service does its work: the URL answers 200, or the program ends with 0. */
export type Readiness = { readonly url: string } | { readonly argv: readonly string[] };

/** What runs beside the daemon and is started before it; unit or program `ringrift-p2p-<name>`. */
export interface SupportService {
  /** Lower case letters, digits and hyphens, such as `tailscaled`; not `node`, which is the daemon's. */
  readonly name: string;
  /** The first element is an absolute path. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Login name. */
  readonly user: string;
  /** Names of the tools that it runs: a new version of one restarts it. */
  readonly tools: readonly string[];
  /** Paths of managed files that it reads at its start: a change of one restarts it. */
  readonly files: readonly string[];
  /**
   * Keyed digests of secret files that it reads at its start, by path. It is not started while one of them
   * is missing or older; the secrets phase starts it then.
   */
  readonly secrets: Readonly<Record<string, string>>;
  /** null: it is ready when it runs. */
  readonly ready: Readiness | null;
  /** Seconds until it must be ready after a start. */
  readonly readySeconds: number;
  /** True where its restart may cut the controller off: a dead-man timer guards it. */
  readonly cutsOff: boolean;
  /** Seconds from a crash to the next start, with systemd; the others start at once what has run for a while. @default 5 */
  readonly restartSeconds?: number;
}

/** A support service as it is put on a host. */
export interface RenderedService extends Omit<SupportService, "restartSeconds"> {
  /** Of everything whose change needs a restart. */
  readonly digest: string;
  /** Unit or program, for the place where the manager looks. */
  readonly service: string;
}

/** What one concern (tailnet, tunnel, paths) adds to a host beside the daemon. */
export interface HostPart {
  readonly tools: readonly Tool[];
  /** Plain files, written by `prepare`. */
  readonly files: readonly ManagedFile[];
  /** Started in this order, before the daemon. */
  readonly services: readonly SupportService[];
  /** Files of mode 0600, written by the secrets phase. */
  readonly secrets: readonly SecretFile[];
  /** Module → requirement, for the daemon's venv; a failure is reported, nothing more. */
  readonly pythonWanted: Readonly<Record<string, string>>;
  /** Added to the daemon's environment; a change restarts the daemon. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Who may reach the daemon's ports; everybody else is dropped. The host translates it for its own firewall. */
export interface FirewallSpec {
  /** TCP ports that are closed to all others, sorted. */
  readonly ports: readonly number[];
  /** Interfaces on which they stay open, the loopback first. */
  readonly interfaces: readonly string[];
  /** Addresses and ranges that may reach them, by family, sorted. */
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** Everything that does not restart the daemon. */
export interface PreparePresent {
  readonly state: "present";
  readonly node: string;
  readonly aiServicePath: string;
  readonly python: PythonSpec;
  /**
   * Where apt looks instead of the host's own sources: a mirror's address (`https://…/debian`), or a whole
   * line (`deb [signed-by=…] https://… ./`); null keeps the host's own.
   */
  readonly aptMirror: string | null;
  readonly files: readonly ManagedFile[];
  /** null leaves the checkout alone. */
  readonly source: SourceSpec | null;
  readonly tools: readonly Tool[];
  /** What runs the support services, which is what runs the daemon. */
  readonly manager: ServiceManager;
  /** Script that this provider's containers run at their start; made where our supervisord needs it. */
  readonly startScript: string | null;
  /** In the order in which they are started; others of ours are removed. */
  readonly services: readonly RenderedService[];
  /** null: no rule of ours. */
  readonly firewall: FirewallSpec | null;
  /** No secret is wanted any more, and the host has some. @default false */
  readonly dropsSecrets?: boolean;
}

/** Nothing of ours is to stay (D12). `prepare` has nothing to do then; `activate` removes everything. */
export interface Absent {
  readonly state: "absent";
  readonly node: string;
}

export type PrepareSpec = PreparePresent | Absent;

export type ServiceManager = "systemd" | "supervisord" | "launchd" | "own";

/** What `current/run` becomes. */
export interface Launch {
  readonly argv: readonly string[];
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** What makes a release: same content, same digest, no restart. */
export interface Release {
  readonly manager: ServiceManager;
  readonly user: string;
  /** Script that this provider's containers run at their start; made where our supervisord needs it. */
  readonly startScript: string | null;
  readonly launch: Launch;
  /** Unit, program or job, for the place where the manager looks. */
  readonly service: string;
  /** Files that are put in place together with the release, and go back with it. */
  readonly files: readonly ManagedFile[];
  /** Keyed digests of secret files that the daemon reads at its start: a new one means a restart. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface ActivatePresent {
  readonly state: "present";
  readonly node: string;
  /** `releaseDigest(release)`. */
  readonly digest: string;
  readonly release: Release;
  readonly health: {
    /** Address and port the daemon answers on, seen from the host itself. */
    readonly address: string;
    readonly port: number;
    /** Seconds until the service must be healthy, else the release goes back. */
    readonly deadlineSeconds: number;
  };
  /** Disable the known old managers (recorded, so that leaving restores them). */
  readonly takeover: boolean;
}

export type ActivateSpec = ActivatePresent | Absent;

export interface SecretFile {
  readonly path: string;
  readonly content: string;
  /** Keyed digest of the content, made by the controller; all that the host ever tells about it. */
  readonly digest: string;
  readonly owner: string;
}

/** Secret as a whole. */
export interface SecretsSpec {
  readonly node: string;
  readonly files: readonly SecretFile[];
}

/** What a probe asks to look at; made from the specs by `factsRequest`. */
export interface FactsRequest {
  readonly node: string;
  /** Digest of the controller's agent. */
  readonly agent: string;
  readonly aiServicePath: string | null;
  readonly interpreter: string;
  readonly imports: readonly string[];
  readonly user: string;
  readonly files: readonly {
    readonly path: string;
    readonly digest: string;
    /** Its content is not in the spec: the host itself has to tell what was edited. */
    readonly staged: boolean;
  }[];
  /** Digest of the unit, program or job; found under the key `service` in `Facts.files`. */
  readonly service: string | null;
  readonly secrets: readonly string[];
  readonly manager: ServiceManager | null;
  readonly startScript: string | null;
  readonly release: string | null;
  readonly address: string;
  readonly port: number;
  readonly source: string | null;
  /** Ask tailscaled. @default false */
  readonly tailnet?: boolean;
  readonly firewall: FirewallSpec | null;
  readonly tools: readonly string[];
  readonly services: readonly Pick<RenderedService, "name" | "service" | "ready">[];
}
