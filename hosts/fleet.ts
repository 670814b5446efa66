/** The checked inventory. Only this file translates the YAML's snake_case into the program's names. */

import { BlockList, isIP } from "node:net";
import { canonicalIPv6, isTailnetIPv4, isTailnetIPv6 } from "./fields";
import { type Suggest } from "./near";
import { type HostValues } from "./schema";
import { readStatus, type Status } from "./status";

/** One machine; every default is filled in. */
export interface Host {
  /** Key in the file; also the node id. */
  readonly name: string;
  readonly status: Status;
  readonly role: string;
  readonly note: string;
  /** undefined where the file does not say. */
  readonly p2pEnabled: boolean | undefined;
  readonly provider: string;
  readonly isMac: boolean;
  readonly isContainer: boolean;
  readonly needsUserspace: boolean;
  readonly isEphemeral: boolean;
  readonly supervisor: "systemd" | "supervisord" | "launchd" | "own";
  readonly ssh: {
    /** Empty where the file has none: then the host is refused. */
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly userInHost: string | undefined;
    readonly keyPath: string | null;
    readonly hostKey: string | null;
    readonly jump: string | null;
  };
  /** As written, without trailing slashes; undefined: there is no checkout. */
  readonly ringriftPath: string | undefined;
  readonly venvActivate: string | undefined;
  readonly port: number;
  readonly publicHost: string | undefined;
  /** Port of `publicHost` that is mapped to the path forwarder's; undefined: the same port. */
  readonly publicPort: number | undefined;
  readonly url: string | null;
  /** Explicit node number; undefined: the hash of the name. */
  readonly number: number | undefined;
  /** Order of the paths to this host; null: the fleet's. */
  readonly methods: readonly ("tailscale" | "cloudflare" | "direct" | "relay")[] | null;
  readonly tailnetAddress: string | null;
  readonly natBlocked: boolean;
  readonly forceRelay: boolean;
  readonly relayCapable: boolean;
  /** Named relays with their keys, preferred first. */
  readonly relayTargets: readonly { readonly key: string; readonly node: string }[];
  readonly voterFlag: boolean;
  /** Provider's instance ids by key. */
  readonly instanceIds: Readonly<Record<string, string>>;
}

/** An entry of `p2p_voters`, and its place in the list. */
export interface DeclaredVoter {
  readonly node: string;
  readonly index: number;
}

export interface Fleet {
  /** In file order; hosts whose body is no mapping, or whose name cannot be used, are in `refused` only. */
  readonly hosts: ReadonlyMap<string, Host>;
  /** Every name of the file. */
  readonly names: readonly string[];
  /** Declared voters in file order, duplicates included; undefined where `p2p_voters` is absent. */
  readonly voters: readonly DeclaredVoter[] | undefined;
  readonly methods: readonly ("tailscale" | "cloudflare" | "direct" | "relay")[];
  readonly cloudflareEndpoint: string | null;
  readonly eloCoordinator: string | undefined;
  /** Advice for a word that should be a host's name. */
  readonly suggestName: Suggest;
  /** Host name to its error messages, sorted. */
  readonly refused: ReadonlyMap<string, readonly string[]>;
}

const PREFIXES: readonly (readonly [RegExp, string])[] = [
  [/^vast(-|$)/, "vast"],
  [/^runpod(-|$)/, "runpod"],
  [/^nebius(-|$)/, "nebius"],
  [/^vultr(-|$)/, "vultr"],
  [/^hetzner(-|$)/, "hetzner"],
  [/^lambda(-|$)/, "lambda"],
  [/^aws(-|$)/, "aws"],
  [/^(mac|macbook|local|localhost)(-|$)/, "local"],
];
const ID_KEYS = {
  vast_instance_id: "vast",
  runpod_id: "runpod",
  nebius_id: "nebius",
  vultr_id: "vultr",
  hetzner_id: "hetzner",
  aws_instance_id: "aws",
} as const;

/** @returns the provider by key, else by the name's prefix, else by an instance id, else `unknown` */
export function providerOf(name: string, values: HostValues): string {
  if (values.provider) return values.provider;
  const prefix = PREFIXES.find(([pattern]) => pattern.test(name.toLowerCase()));
  if (prefix) return prefix[1];
  const byId = Object.entries(ID_KEYS).find(([key]) => values[key as keyof typeof ID_KEYS]);
  return byId ? byId[1] : "unknown";
}

function isMacHost(name: string, values: HostValues): boolean {
  return (
    values.supervisor === "launchd" ||
    /^(mac|macbook)(-|$)/i.test(name) ||
    (values.ringrift_path ?? "").startsWith("/Users/") ||
    /\bMPS\b/.test(values.gpu ?? "")
  );
}

function supervisorOf(values: HostValues, provider: string, isMac: boolean, container: boolean) {
  if (values.supervisor) return values.supervisor;
  if (isMac) return "launchd";
  if (!container) return "systemd";
  return provider === "vast" ? "supervisord" : "own";
}

/** `tailscale_ip`, else a tailnet address that stands in `ssh_host`, else `tailscale_ipv6`. */
function tailnetAddressOf(values: HostValues): string | null {
  const sshHost = values.ssh_host?.host ?? "";
  const fromSsh = isTailnetIPv6(sshHost)
    ? canonicalIPv6(sshHost)
    : isTailnetIPv4(sshHost)
      ? sshHost
      : undefined;
  return values.tailscale_ip ?? fromSsh ?? values.tailscale_ipv6 ?? null;
}

export function toHost(name: string, values: HostValues): Host {
  const provider = providerOf(name, values);
  const isMac = isMacHost(name, values);
  const isContainer = values.is_container ?? (provider === "vast" || provider === "runpod");
  const targets = [
    "relay_primary",
    "relay_secondary",
    "relay_tertiary",
    "relay_quaternary",
  ] as const;
  return {
    name,
    status: readStatus(values.status),
    role: values.role ?? "",
    note: values.note ?? "",
    p2pEnabled: values.p2p_enabled,
    provider,
    isMac,
    isContainer,
    needsUserspace: values.needs_userspace_tailscale ?? isContainer,
    isEphemeral: values.is_ephemeral ?? false,
    supervisor: supervisorOf(values, provider, isMac, isContainer),
    ssh: {
      host: values.ssh_host?.host ?? "",
      port: values.ssh_port ?? 22,
      user: values.ssh_user ?? values.ssh_host?.user ?? "root",
      userInHost: values.ssh_host?.user,
      keyPath: values.ssh_key ?? null,
      hostKey: values.ssh_host_key ?? null,
      jump: values.ssh_jump ?? null,
    },
    ringriftPath: values.ringrift_path,
    venvActivate: values.venv_activate,
    port: values.p2p_port ?? 8770,
    publicHost: values.p2p_public_host,
    publicPort: values.p2p_public_port,
    url: values.p2p_url ?? null,
    number: values.p2p_number,
    methods: values.p2p_methods && values.p2p_methods.length > 0 ? values.p2p_methods : null,
    tailnetAddress: tailnetAddressOf(values),
    natBlocked: values.nat_blocked ?? false,
    forceRelay: values.force_relay_mode ?? false,
    relayCapable: values.relay_capable ?? false,
    relayTargets: targets.flatMap((key) => {
      const node = values[key];
      return node === undefined ? [] : [{ key, node }];
    }),
    voterFlag: values.p2p_voter ?? false,
    instanceIds: Object.fromEntries(
      Object.keys(ID_KEYS).flatMap((key) => {
        const id = values[key as keyof typeof ID_KEYS];
        return id === undefined ? [] : [[key, id]];
      }),
    ),
  };
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Names that /etc/hosts of common systems gives to the loopback. */
const LOOPBACK_NAME =
  /^(.*\.)?(localhost[46]?|ip6-localhost|ip6-loopback)(\.localdomain[46]?)?\.?$/i;

/** localhost, 127.0.0.0/8 or ::1, in any notation. */
export function isLoopback(address: string): boolean {
  return LOOPBACK_NAME.test(address) || isListed(address, LOOPBACK);
}

/** IPv4 addresses that are written as IPv6 (`::ffff:127.0.0.1`) count as what they are. */
export function isListed(address: string, list: BlockList): boolean {
  const plain = address.replace(/%.*$/, "");
  const family = isIP(plain);
  return family !== 0 && list.check(plain, family === 6 ? "ipv6" : "ipv4");
}
