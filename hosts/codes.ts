/** Every rule's stable code. A fixture in test/hosts/rules shows each. */

interface Rule {
  readonly severity: "error" | "warning" | "info";
  /** What the rule asks for; printed in docs/findings.md. */
  readonly rule: string;
}

const rules = {
  // The whole file: nothing can be planned.
  "file-too-large": { severity: "error", rule: "The file has at most 1 MB." },
  "file-too-complex": {
    severity: "error",
    rule: "The file nests at most 32 levels, has at most 350,000 YAML tokens, 2,000 items in one flow collection, 100,000 values with aliases expanded, and peer lists of at most 2,000,000 entries and 60,000,000 characters.",
  },
  "yaml-syntax": { severity: "error", rule: "The file is one valid YAML 1.2 document." },
  "duplicate-key": { severity: "error", rule: "No mapping has the same key twice." },
  "not-a-mapping": { severity: "error", rule: "The top of the file is a mapping." },
  "no-hosts": { severity: "error", rule: "`hosts` is a mapping with at least one host." },
  "yaml-warning": { severity: "warning", rule: "The YAML parser has no doubts." },
  // One host: it is refused.
  "host-name": {
    severity: "error",
    rule: "A host's name has 1 to 63 letters, digits, `.`, `_` or `-`, and starts and ends with a letter or digit.",
  },
  "host-not-a-mapping": { severity: "error", rule: "A host is a mapping of keys." },
  "invalid-value": { severity: "error", rule: "Every value has the type in docs/inventory.md." },
  "missing-key": { severity: "error", rule: "A host has `ssh_host`." },
  placeholder: { severity: "error", rule: "Placeholders of the template are filled in." },
  "ssh-user-conflict": {
    severity: "error",
    rule: "`user@` in `ssh_host` agrees with `ssh_user`.",
  },
  "status-unknown": { severity: "error", rule: "`status` is a known word." },
  "duplicate-tailscale-ip": {
    severity: "error",
    rule: "No two active hosts have the same tailnet address.",
  },
  "duplicate-p2p-address": {
    severity: "error",
    rule: "No two active hosts have the same `p2p_url`, or the same `p2p_public_host` and port.",
  },
  "duplicate-instance-id": {
    severity: "error",
    rule: "No two active hosts have the same instance id of a provider.",
  },
  "duplicate-endpoint": {
    severity: "error",
    rule: "No two active hosts are reached at the same SSH host and port.",
  },
  "number-collision": {
    severity: "error",
    rule: "Node numbers are unique; `p2p_number` settles a collision of hashes.",
  },
  "relay-unusable": {
    severity: "error",
    rule: "A host in relay mode has a relay that can serve it.",
  },
  "jump-unknown": {
    severity: "error",
    rule: "`ssh_jump` names a host of the file, or `user@host[:port]`.",
  },
  "jump-chain": { severity: "error", rule: "A jump host needs no jump host of its own." },
  "jump-cycle": { severity: "error", rule: "Jump hosts do not lead back to the host itself." },
  "tunnel-name": {
    severity: "error",
    rule: "Where nodes have tunnels, a node's name gives a DNS name one level below the zone; `p2p_url` chooses another.",
  },
  "tunnel-collision": {
    severity: "error",
    rule: "No two deployed hosts have the same tunnel name, upper and lower case being alike, and none has the entry's.",
  },
  // One host: it is deployed, but somebody should look.
  "device-collision": {
    severity: "warning",
    rule: "No two deployed hosts' devices in the tailnet are called alike: upper and lower case are the same there, and `.` and `_` are `-`.",
  },
  "tunnel-elsewhere": {
    severity: "warning",
    rule: "Where nodes have tunnels, `p2p_url` is in the zone; one elsewhere is left alone, and the node gets no tunnel.",
  },
  "dead-note": {
    severity: "warning",
    rule: "An active host's `note` does not say that the machine is gone.",
  },
  "p2p-enabled-missing": { severity: "warning", rule: "An active host says `p2p_enabled`." },
  "boolean-word": {
    severity: "warning",
    rule: "Booleans are `true` or `false` without quotes: YAML 1.1 and 1.2 read `yes`, `no`, `on`, `off` differently.",
  },
  "secret-in-file": {
    severity: "warning",
    rule: "No secret stands in the file: it is in a repository, and every host gets a copy.",
  },
  "venv-activate": {
    severity: "warning",
    rule: "`venv_activate` is `source <venv>/bin/activate`, `:`, or absent.",
  },
  "no-address": {
    severity: "warning",
    rule: "A deployed host can be reached by others over at least one path.",
  },
  exposed: {
    severity: "warning",
    rule: "Strangers cannot reach a daemon: it listens on the loopback alone, or `p2p:firewall` closes its ports.",
  },
  "unnamed-source": {
    severity: "warning",
    rule: "A host that reaches the others by the direct path alone has an address of its own that their rules can hold.",
  },
  "relay-target": {
    severity: "warning",
    rule: "`relay_primary` and its successors name deployed hosts with `relay_capable: true` that are not in relay mode themselves.",
  },
  "coordinator-relayed": {
    severity: "warning",
    rule: "A host with `role: coordinator` is not in relay mode: such a node cannot lead.",
  },
  // Voters and references.
  "voter-unknown": {
    severity: "error",
    rule: "Every entry of `p2p_voters` is a host of the file.",
  },
  "voter-duplicate": { severity: "warning", rule: "`p2p_voters` names every voter once." },
  "voter-inactive": { severity: "warning", rule: "Voters are deployed." },
  "voter-unroutable": { severity: "warning", rule: "Other nodes can reach every voter." },
  "voter-weak": {
    severity: "warning",
    rule: "Voters are not in relay mode, not containers and not ephemeral.",
  },
  "voters-legacy": {
    severity: "warning",
    rule: "Voters are listed in `p2p_voters`, not flagged by `p2p_voter`.",
  },
  "voters-missing": { severity: "error", rule: "`p2p_voters` has at least one voter." },
  "quorum-unreachable": {
    severity: "error",
    rule: "The effective voters reach the quorum, floor(declared / 2) + 1.",
  },
  "quorum-margin": { severity: "warning", rule: "The quorum survives the loss of one voter." },
  "coordinator-missing": {
    severity: "error",
    rule: "At least one deployed host has `role: coordinator`: only such a process can lead.",
  },
  "no-peers": {
    severity: "error",
    rule: "In a fleet of several hosts every host has a peer to start from.",
  },
  "dangling-reference": {
    severity: "warning",
    rule: "Lists of host names name hosts of the file.",
  },
  "reference-inactive": {
    severity: "warning",
    rule: "Preferred hosts (`priority_hosts`, `elo_sync.coordinator`) are deployed.",
  },
  "relays-one-provider": {
    severity: "warning",
    rule: "The relays of a fleet with relayed hosts are at more than one provider.",
  },
  // Told, not asked for.
  "unknown-key": {
    severity: "info",
    rule: "The key is known; unknown ones are kept and not used.",
  },
  "relay-flags": {
    severity: "info",
    rule: "`nat_blocked` and `force_relay_mode` agree; if not, either one turns relay mode on.",
  },
  "repo-root": {
    severity: "info",
    rule: "`ringrift_path` names the ai-service directory; a repository root is completed.",
  },
  "user-in-host": { severity: "info", rule: "`ssh_host` holds no user." },
  "host-key-missing": {
    severity: "info",
    rule: "`ssh_host_key` pins the host's key; without it the host is untrusted and left alone.",
  },
} as const satisfies Record<string, Rule>;

export type Code = keyof typeof rules;

export const CODES: Readonly<Record<Code, Rule>> = rules;
