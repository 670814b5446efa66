import { z } from "zod";
import { daemonStatus, health } from "./daemonFacts";
import { count, list, record, text } from "./untrusted";

/** What a probe found on a host. Read-only, and told by a machine that is not trusted: every field is bounded. */

const fileFact = z.object({
  kind: z.enum(["file", "link", "directory", "other"]),
  digest: text(64).nullable(),
  mode: text(4),
  owner: text(64),
  /** Present where the content differs from what was asked for, so that a hand edit can be shown. */
  text: text(8192).optional(),
  /** Of a staged content that is not the wanted one: the digest of what we made the file from last… */
  madeFrom: text(64).optional(),
  /** …and what was edited since. */
  edits: text(16384).optional(),
});

const competitor = z.object({
  kind: z.enum(["unit", "cron", "starter", "process", "program", "launchd"]),
  /** Unit name, file path with line, or process id. */
  id: text(300),
  detail: text(300),
});

const portOwner = z.object({
  pid: count.nullable(),
  /** True when the process belongs to our service. */
  ours: z.boolean(),
  /** Unit, container or command, to name who it is. */
  name: text(200),
});

/** A difference that the host can tell by itself, in the words of a `Drift`. */
const alteration = z.object({
  what: text(300),
  want: text(64),
  is: text(64),
  detail: text(16384).optional(),
});

/** What a manager says of any service. */
const managed = z.object({
  state: z.enum(["running", "starting", "restarting", "failed", "stopped", "absent"]),
  /** Started at boot; null when that cannot be told. */
  enabled: z.boolean().nullable(),
  pid: count.nullable(),
  /** Seconds since 1970. */
  startedAt: z.number().nullable(),
  restarts: count,
  /** The manager's own words: `failed (Result: exit-code, status 1)`. */
  detail: text(300),
  /** Drop-ins that change its unit, and files of ours beside it that are not as written. */
  alterations: list(alteration, 8).default([]),
  /** The manager has not read its file since that was changed. */
  stale: z.boolean().default(false),
});

const service = managed.extend({
  manager: z.enum(["systemd", "supervisord", "launchd", "own"]),
  /** Where it would start from at boot: a unit, an include file or a start script. */
  boot: text(300).nullable(),
});

const tool = z.object({
  /** Version that `bin/<name>` leads to. */
  version: text(64),
  /** sha256 of the binary. */
  digest: text(64).nullable(),
  /** It is as it was installed. */
  intact: z.boolean(),
});

const support = managed.extend({
  /** `RenderedService.digest` with which it was started last; null when it was not, or was edited since. */
  digest: text(64).nullable(),
  /** Unit or program. */
  file: fileFact.nullable(),
  /** null: not asked, since it does not run or nobody said how. */
  ready: z.boolean().nullable(),
  /** Why it is not ready, or the last error of its log. */
  lastError: text(600).nullable(),
});

const firewall = z.object({
  /** The agent has the right to change what is filtered here. */
  able: z.boolean(),
  backend: z.enum(["nft", "iptables"]).nullable(),
  /** Our rules in the kernel: as applied, changed since, or gone. */
  state: z.enum(["intact", "edited", "absent"]),
  /** Of the spec that was applied last. */
  digest: text(64).nullable(),
  /** They are applied again at boot. */
  boot: z.boolean(),
  /** What was changed, as `-is` and `+want`. */
  edits: text(16384).nullable(),
  /** Other people's firewalls that are active beside ours. */
  managers: list(text(32), 8),
});

/** tailscaled by its own word. */
export const tailnetFact = z.object({
  /** Ours, not one that the system runs by itself. */
  ours: z.boolean(),
  /** Joined by us, as the host remembers it. */
  joined: z.boolean(),
  /** It was we who logged it in. */
  loggedIn: z.boolean().default(false),
  /** NeedsLogin, NeedsMachineAuth, Stopped, Starting, Running …; null where it does not answer. */
  backend: text(32).nullable(),
  version: text(32).nullable(),
  nodeId: text(64).nullable(),
  /** MagicDNS name. */
  name: text(253).nullable(),
  hostname: text(253).nullable(),
  addresses: list(text(64), 8),
  /** Sorted. */
  tags: list(text(128), 32),
  /** When the device's own key lapses; null for tagged devices. */
  keyExpiry: text(40).nullable(),
  /** False: userspace networking. */
  tun: z.boolean().nullable(),
  online: z.boolean().nullable(),
  loginServer: text(300).nullable(),
  acceptDns: z.boolean().nullable(),
  health: list(text(300), 8),
  error: text(600).nullable(),
});

/** The path forwarder by its own word. */
const pathsFact = z.object({
  /** Voters and relays: the path that is taken, those that work, why the others do not. */
  watched: record(
    z.object({
      active: text(32).nullable(),
      up: list(text(32), 8),
      down: record(text(300), 8),
      daemon: text(200).nullable(),
    }),
    64,
  ),
  /** Nodes to which no path is known to work. */
  cutOff: list(text(128), 1024),
  /** What it cannot do yet. */
  waiting: list(text(300), 16),
  /** Why its newest settings were refused; the last good ones are in use. */
  mistake: text(600).nullable(),
  /** What does not keep it from its work, such as a tailscaled that does not answer it. */
  troubles: list(text(600), 8).default([]),
  /** It gives whoever it lets in the cluster token that the daemon here asks for. */
  lendsToken: z.boolean().default(false),
  error: text(300).nullable(),
});

export const factsSchema = z.object({
  at: text(40),
  node: text(128),
  /** Digest of the agent that looked, which is the controller's. */
  agent: text(64).nullable(),
  /** Root, directly or by sudo; without it owners of ports and 0600 files cannot be seen. */
  elevated: z.boolean(),
  user: text(64),
  hostname: text(253),
  os: text(120),
  arch: text(32),
  init: z.enum(["systemd", "supervisord", "launchd", "none"]),
  container: z.boolean(),
  bootId: text(64),
  uptimeSeconds: z.number(),
  cores: count,
  /** A TUN device opens. */
  tun: z.boolean(),
  python: z
    .object({
      path: text(300),
      version: text(32),
      externallyManaged: z.boolean(),
      pip: z.boolean(),
    })
    .nullable(),
  /** Interpreter that would run the daemon now, and what it cannot import (module → error). */
  runner: text(300).nullable(),
  missing: record(text(300), 64),
  disk: list(z.object({ path: text(300), freeBytes: count, totalBytes: count }), 8),
  /** Digest of the installed agent, if whole. */
  installedAgent: text(64).nullable(),
  lastRun: z
    .object({
      id: text(64),
      phase: text(16),
      at: text(40),
      ok: z.boolean(),
      error: text(600).nullable(),
    })
    .nullable(),
  release: z.object({
    current: text(64).nullable(),
    good: text(64).nullable(),
    kept: list(text(64), 16),
    /** False when a file inside the current release was changed. */
    intact: z.boolean(),
    /** Which, as far as the host can tell. */
    altered: list(alteration, 8).default([]),
    /** release.json where it is not as written. */
    text: text(16384).nullable().default(null),
    /** Keyed digest of the cluster token that it requires; null: none. */
    requires: text(128).nullable(),
    /** The process was started from it; null when that cannot be told. */
    runs: z.boolean().nullable().default(null),
  }),
  files: record(fileFact, 64),
  /** Keyed digest as given when the file was written; null when it has been changed since. */
  secrets: record(z.object({ digest: text(128).nullable(), mode: text(4), owner: text(64) }), 32),
  service: service.nullable(),
  port: list(portOwner, 8),
  health: health.nullable(),
  status: daemonStatus.nullable(),
  /** Last error of the service from the journal or its log. */
  lastError: text(600).nullable(),
  source: z.object({ commit: text(64), dirty: z.boolean() }).nullable(),
  competitors: list(competitor, 64),
  /** null: not asked, or there is no tailscale. */
  tailnet: tailnetFact.nullable().default(null),
  /** null: no path forwarder. */
  paths: pathsFact.nullable().default(null),
  /** By name: what is in `bin`. */
  tools: record(tool, 16),
  /** By name without `ringrift-p2p-`: every support service of ours on the host, wanted or not. */
  services: record(support, 16),
  /** null where there is no rule of ours, and none is wanted. */
  firewall: firewall.nullable(),
  listening: list(z.object({ address: text(64), port: count }), 256),
  /** Everything of ours that is on the host: what leaving has to remove. */
  traces: list(text(300), 64),
  /** SSH host keys of a container with a persistent volume: where they are kept, and why they would not come back. */
  hostKeys: z.object({ folder: text(300), fault: text(200).nullable() }).nullable(),
  error: text(600).nullable(),
});

export type Facts = z.infer<typeof factsSchema>;

/** The part of the facts that says that there is nothing of ours, and nothing that runs. */
export const NOTHING_FOUND = {
  runner: null,
  missing: {},
  disk: [],
  installedAgent: null,
  lastRun: null,
  release: {
    ...{ current: null, good: null, kept: [], intact: true, altered: [], text: null },
    ...{ requires: null, runs: null },
  },
  files: {},
  secrets: {},
  service: null,
  port: [],
  health: null,
  status: null,
  lastError: null,
  source: null,
  competitors: [],
  tailnet: null,
  paths: null,
  tools: {},
  services: {},
  firewall: null,
  listening: [],
  traces: [],
  hostKeys: null,
} satisfies Partial<Facts>;

export type FileFact = z.infer<typeof fileFact>;
export type TailnetFact = z.infer<typeof tailnetFact>;
export type Competitor = z.infer<typeof competitor>;
export type ServiceFact = z.infer<typeof service>;
export type SupportFact = z.infer<typeof support>;
export type Alteration = z.infer<typeof alteration>;
export type ToolFact = z.infer<typeof tool>;
