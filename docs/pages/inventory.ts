/** docs/inventory.md: every key of the inventory. */

import { type KeyDoc } from "../../hosts/fields";
import {
  DISCOVERY_SCHEMA,
  FLEET_SCHEMA,
  FOREIGN_FLEET_KEYS,
  FOREIGN_HOST_KEYS,
  HOST_SCHEMA,
} from "../../hosts/schema";
import { ACTIVE_WORDS, INACTIVE_WORDS } from "../../hosts/status";
import { codeList, GENERATED, table } from "./markdown";

type Documented = Readonly<Record<string, { meta(): unknown }>>;

function keyTable(docs: readonly (readonly [string, KeyDoc])[]): string {
  const rows = docs.map(([key, doc]) => [`\`${key}\``, doc.type, doc.default, doc.description]);
  return table(["Key", "Type", "Default", "Meaning"], rows);
}

function schemaTable(schema: Documented): string {
  return keyTable(Object.entries(schema).map(([key, type]) => [key, type.meta() as KeyDoc]));
}

export function inventoryPage(): string {
  return `${GENERATED}

# The inventory

\`distributed_hosts.yaml\` lists every host of the fleet. It is read as YAML 1.2 with anchors, aliases and merge keys
(\`<<\`); a byte order mark and CRLF are accepted. The file has at most 1 MB; its other limits are in
[findings.md](findings.md). \`fleet check\` prints what is wrong with it, \`fleet plan\` what would be done with every host.

Values are read as they are written, by the type of their key: \`vast_instance_id: 007\` is the text \`007\`, and
\`gpu: no\` is the text \`no\`. Null and the empty text mean the same as an absent key. Keys marked **New key.** are this
project's own; all of them are optional, and other readers of the file pass over them.

## Top level

${keyTable(Object.entries(FLEET_SCHEMA))}

\`sync_routing\`, \`auto_sync\` and \`consolidation\` belong to the daemon; of them only the lists that name hosts are looked
at, so that a name without a host is found. The daemon's other keys are kept, not used, and silent:
${codeList(FOREIGN_FLEET_KEYS)}. Any other key is kept and reported as \`unknown-key\`.

## \`p2p_discovery\`

${schemaTable(DISCOVERY_SCHEMA)}

## A host

The name has 1 to 63 letters, digits, \`.\`, \`_\` or \`-\`, with a letter or digit at both ends.

${schemaTable(HOST_SCHEMA)}

Booleans are \`true\` or \`false\`. \`yes\`, \`no\`, \`on\` and \`off\` are understood, with a warning, because YAML 1.1 readers
such as PyYAML and YAML 1.2 readers disagree about them. Ports and numbers are decimal without leading zeros: \`22:30\` or
\`022\` would be another number to PyYAML.

These keys belong to the daemon and other tools; they are kept, not used, and silent: ${codeList(FOREIGN_HOST_KEYS)}.

## What becomes of a host

| Case | Action |
| --- | --- |
| An error finding at the host | refused, with the finding as reason |
| \`status\` is ${codeList(INACTIVE_WORDS)} | skip |
| \`p2p_enabled\` is \`false\` or not set | skip |
| \`role: proxy\` | skip |
| No \`ringrift_path\` | skip |
| \`ssh_host\` is the loopback, and \`p2p:controller\` names another host or none | skip |
| Else, \`status\` being ${codeList(ACTIVE_WORDS)} or absent | deploy |

The first case that holds decides. Capitals and blanks around a status do not matter. A status that is none of these words
refuses the host. \`status: retired\` also means that nothing of ours stays on it. A skipped host can still be a jump host.

## Voters

The declared voters are the unique entries of \`p2p_voters\`; where that key is absent, the hosts with \`p2p_voter: true\`.
An empty entry says nothing. The quorum is floor(n / 2) + 1 of the declared voters, whether they can vote or not. A voter is
effective when it is deployed and others can reach it over at least one of \`p2p_discovery.methods\`; relaying does not count.
Where there are path forwarders ([paths.md](paths.md)), its own \`p2p_methods\` decide, and tunnels and tailnet that the
stack makes count too.
The margin is the number of effective voters minus the quorum: at 0 the loss of one more voter ends the quorum, below 0 it
cannot stand. Every other declared voter is rejected with its reason:

| Reason | Because |
| --- | --- |
| \`no such host\` | no host of the file has the name |
| \`refused: …\` | the host has errors |
| \`status: …\`, \`p2p_enabled: false\`, … | the host is skipped |
| \`localhost, unroutable\` | its only address is the loopback |
| \`unroutable: …\` | it has no tailnet address, tunnel or public address that one of the methods uses |

## Peers, relays and addresses

Every node is told the effective voters and the relays, without itself. A relay is a deployed host with
\`relay_capable: true\` that is not in relay mode and that others can reach. A host is in relay mode when \`nat_blocked\` or
\`force_relay_mode\` is true; a \`false\` of the other flag cancels nothing.

A host's direct address is \`p2p_public_host\`, else \`ssh_host\`. Neither is offered to others where it is the loopback, a
tailnet address, an address that several hosts have in \`ssh_host\` (a gateway), or where the host is a container or in relay
mode. \`ssh_host\` is also not offered where it is a private address, a gateway name of Vast.ai or RunPod, or behind
\`ssh_jump\`; a fleet within one private network sets \`p2p_public_host\`.
`;
}
