/**
 * What is said to a host: the JSON on the commands' stdin. Desired state only; `prepare` and `activate`
 * carry no secret, because their difference is read by a person in preview.
 */

/** Text as it is, or zlib + base64 where many hosts share something long (the inventory). */
export type FileContent = { readonly text: string } | { readonly packed: string };

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

/** Everything that restarts nothing. */
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
  readonly files: readonly { readonly path: string; readonly digest: string }[];
  /** Digest of the unit, program or job; found under the key `service` in `Facts.files`. */
  readonly service: string | null;
  readonly secrets: readonly string[];
  readonly manager: ServiceManager | null;
  readonly startScript: string | null;
  readonly release: string | null;
  readonly address: string;
  readonly port: number;
  readonly source: string | null;
}
