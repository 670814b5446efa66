/**
 * Texts under 1 MB that are made to cost much: each gives a result, and none may take over two seconds on a free
 * machine. Seconds are printed; only their median is held to that, because a busy machine proves nothing.
 */

import { loadInventory } from "../../hosts/inventory";
import { MAX_BYTES } from "../../hosts/limits";

/** As many of the pieces as fit into the size, with unlike numbers. */
function fill(piece: (number: string) => string, head = "", tail = "", size = MAX_BYTES): string {
  const parts: string[] = [];
  let length = head.length + tail.length;
  for (let index = 0; ; index += 1) {
    const part = piece(index.toString(36).padStart(4, "0"));
    length += part.length;
    if (length > size) return head + parts.join("") + tail;
    parts.push(part);
  }
}

const HOST = "  hub-1: {ssh_host: 192.0.2.1, ringrift_path: /a, p2p_enabled: true}\n";
const HOSTS = `hosts:\n${HOST}`;
/** Below the limit of tokens, so that all of the text is read. */
const HALF = 500_000;
const deployed = (more: string) => (number: string) =>
  ` h${number}: {ssh_host: x${number}.y, p2p_enabled: true, ringrift_path: /a${more}}\n`;

/** What each costly text gives: `plan`, or the first error's code. */
const CASES: readonly (readonly [string, () => string, string])[] = [
  ["one long scalar", () => `${HOSTS}x: ${"x".repeat(900_000)}\n`, "plan"],
  ["one long quoted scalar", () => `${HOSTS}x: "${"\\n".repeat(450_000)}"\n`, "plan"],
  ["one long block scalar", () => fill(() => "  ab\n", `${HOSTS}x: >\n`), "plan"],
  ["one long number", () => `${HOSTS}x: ${"9".repeat(900_000)}\n`, "plan"],
  ["wrong escapes", () => `${HOSTS}x: "${"\\q".repeat(450_000)}"\n`, "yaml-syntax"],
  ["comments", () => fill(() => "# c\n", HOSTS, "", HALF), "plan"],
  ["blank lines", () => fill(() => "\n", HOSTS, "", 300_000), "plan"],
  ["blanks", () => `${" ".repeat(900_000)}\n${HOSTS}`, "plan"],
  ["tabs", () => fill(() => "\tx\n", HOSTS, "", HALF), "yaml-syntax"],
  [
    "carriage returns",
    () => fill((n) => ` h${n}:\r  ssh_host: x\r`, "hosts:\r"),
    "file-too-complex",
  ],
  ["null bytes", () => "\0".repeat(900_000), "not-a-mapping"],
  ["documents", () => fill(() => "--- a\n...\n", "", "", 300_000), "yaml-syntax"],
  ["directives", () => fill(() => "%\n"), "file-too-complex"],
  ["open brackets", () => "[".repeat(900_000), "file-too-complex"],
  ["closing brackets", () => "}".repeat(900_000), "file-too-complex"],
  ["empty flow items", () => `[${",".repeat(900_000)}`, "file-too-complex"],
  [
    "lists of empty items",
    () => fill(() => `- [${",".repeat(1900)}]\n`, "", "", HALF),
    "file-too-complex",
  ],
  ["strings without commas", () => `[${'"a"\n'.repeat(40_000)}]`, "yaml-syntax"],
  ["nested values on one line", () => "- ".repeat(400_000), "file-too-complex"],
  ["question marks", () => `${"? ".repeat(60)}a\n`, "yaml-syntax"],
  ["mappings as keys", () => fill((n) => `? {a: ${n}}\n: b\n`, "", "", 300_000), "yaml-syntax"],
  [
    "deep indentation",
    () => Array.from({ length: 1400 }, (_, i) => `${" ".repeat(i)}a:\n`).join(""),
    "file-too-complex",
  ],
  ["anchors", () => fill((n) => `k${n}: &a${n} x\n`, HOSTS, "", HALF), "plan"],
  ["aliases of nothing", () => fill((n) => `- *a${n}\n`, `${HOSTS}x:\n`, "", HALF), "yaml-syntax"],
  [
    "aliases of much",
    () => fill((n) => ` h${n}: *x\n`, "x: &x {a: 1, b: 2, c: 3}\nhosts:\n", "", 200_000),
    "plan",
  ],
  [
    "an alias bomb",
    () => fill((n) => `k${n}: [*a, *a, *a]\n`, `a: &a [${"x, ".repeat(500)}x]\n`, HOSTS, HALF),
    "file-too-complex",
  ],
  [
    "a chain of merges",
    () => fill((n) => `k${n}: &k {<<: *k, a${n}: 1}\n`, "k: &k {a: 1}\n", HOSTS, HALF),
    "file-too-complex",
  ],
  ["tags", () => fill((n) => `k${n}: !foo x\n`, HOSTS, "", HALF), "plan"],
  ["a key many times", () => fill(() => "a: 1\n", HOSTS, "", 200_000), "duplicate-key"],
  ["unknown keys", () => fill((n) => `hostt${n}: 1\n`, HOSTS, "", HALF), "plan"],
  [
    "unknown keys of a host",
    () => fill((n) => `    ssh_p${n}: 1\n`, "hosts:\n  a:\n", "", HALF),
    "plan",
  ],
  [
    "hosts with unknown keys",
    () => fill((n) => ` h${n}: {ssh_hots: x}\n`, "hosts:\n", "", HALF),
    "plan",
  ],
  ["hosts without a body", () => fill((n) => ` h${n}:\n`, "hosts:\n", "", HALF), "plan"],
  ["hosts with strange names", () => fill((n) => ` "\\e${n}": 1\n`, "hosts:\n", "", HALF), "plan"],
  ["unknown voters", () => fill((n) => `- v${n}\n`, `${HOSTS}p2p_voters:\n`, "", HALF), "plan"],
  [
    "unknown voters and near names",
    () =>
      fill(
        (n) => `- v${n}xyz\n`,
        fill((n) => ` h${n}xyz: 1\n`, "hosts:\n", "p2p_voters:\n", 250_000),
        "",
        HALF,
      ),
    "plan",
  ],
  [
    "one voter many times",
    () => fill(() => "- hub-1\n", `${HOSTS}p2p_voters:\n`, "", HALF),
    "plan",
  ],
  [
    "references to near names",
    () =>
      fill(
        (n) => `  - v${n}xyz\n`,
        fill((n) => ` h${n}xyz: 1\n`, "hosts:\n", "sync_routing:\n priority_hosts:\n", 250_000),
        "",
        HALF,
      ),
    "plan",
  ],
  [
    "every host a relay",
    () => fill(deployed(", relay_capable: true"), "hosts:\n", "", HALF),
    "file-too-complex",
  ],
  [
    "every host a voter",
    () => fill(deployed(", p2p_voter: true"), "hosts:\n", "", HALF),
    "file-too-complex",
  ],
  [
    "a thousand hosts, all voters and relays",
    () => fill(deployed(", p2p_voter: true, relay_capable: true"), "hosts:\n", "", 95_000),
    "plan",
  ],
  ["minimal hosts", () => fill(deployed(""), "hosts:\n", "", HALF), "plan"],
  [
    "clients of a relay with many errors",
    () =>
      fill(
        deployed(", nat_blocked: true, relay_primary: r"),
        "hosts:\n r: {status: x, ssh_port: x, ssh_key: x, p2p_number: x, nat_blocked: x}\n",
        "",
        HALF,
      ),
    "plan",
  ],
  [
    "one endpoint of all",
    () => fill((n) => ` h${n}: {ssh_host: x, p2p_enabled: true}\n`, "hosts:\n", "", HALF),
    "plan",
  ],
  [
    "one instance, number and address of all",
    () =>
      fill(
        (n) =>
          ` h${n}: {ssh_host: x, p2p_enabled: true, p2p_number: 1, runpod_id: a, tailscale_ip: 100.64.0.1}\n`,
        "hosts:\n",
        "",
        HALF,
      ),
    "plan",
  ],
  [
    "a chain of jumps",
    () => fill((n) => ` h${n}: {ssh_jump: h${n}x}\n`, "hosts:\n", "", HALF),
    "plan",
  ],
  [
    "host names that almost fit",
    () => fill((n) => ` h${n}: {ssh_host: ${"a-".repeat(120)}!}\n`, "hosts:\n"),
    "plan",
  ],
  [
    "notes that almost sound dead",
    () => `hosts:\n h: {p2p_enabled: true, note: "${"shut ".repeat(13_000)}"}\n`,
    "plan",
  ],
];

const seconds: { readonly name: string; readonly spent: number }[] = [];

describe("costly texts", () => {
  it.each(CASES)("%s", (name, make, expected) => {
    const text = make();
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_BYTES);
    const start = process.cpuUsage();
    const { plan, findings } = loadInventory(text, "hosts.yaml");
    const { user, system } = process.cpuUsage(start);
    seconds.push({ name, spent: (user + system) / 1e6 });
    const error = findings.find(({ severity }) => severity === "error");
    expect(plan ? "plan" : error?.code).toBe(expected);
  });

  it("take under two seconds of processor time", () => {
    const sorted = [...seconds].sort((a, b) => a.spent - b.spent);
    const median = sorted[Math.floor(sorted.length / 2)]?.spent ?? 0;
    const slowest = sorted.slice(-3).map(({ name, spent }) => `${name} ${spent.toFixed(2)} s`);
    console.info(`costly texts: median ${median.toFixed(2)} s, slowest: ${slowest.join(", ")}`);
    expect(median).toBeLessThan(2);
  });
});
