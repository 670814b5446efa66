/** Generated inventories: plausible hosts with imperfect values, and texts that nobody should write. */

import fc from "fast-check";
import { stringify } from "yaml";

/** Every run draws the same cases; a failure prints the seed and the path to the case. */
export const RUN = { seed: 20_260_318, numRuns: 100 } as const;

export type HostBody = Record<string, unknown>;

export interface Inventory {
  readonly hosts: readonly (readonly [string, unknown])[];
  readonly voters: readonly unknown[] | undefined;
  readonly methods: readonly string[] | undefined;
}

const PREFIXES = ["hub", "gpu", "vast", "runpod", "nebius", "hetzner", "lambda", "mac", "local"];

/** Names that programs stumble over, and one that is no node id. */
const STRANGE_NAMES = ["constructor", "toString", "__proto__", "hasOwnProperty", "10", "a b"];

const name = fc.oneof(
  {
    weight: 20,
    arbitrary: fc
      .tuple(fc.constantFrom(...PREFIXES), fc.integer({ min: 1, max: 40 }))
      .map(([prefix, number]) => `${prefix}-${number}`),
  },
  { weight: 1, arbitrary: fc.constantFrom(...STRANGE_NAMES) },
);

/** Texts that do harm where text becomes shell, markup, a path or a terminal's output. */
export const HOSTILE = [
  "$(touch /tmp/x)",
  "`id`",
  "a; rm -rf /",
  "a && b | c > d",
  "'\"\\",
  "a\nb",
  "a\r\nb",
  "\u0000",
  "\u001b[31mred\u001b[0m",
  "\u0007\u0008\u007f\u0085\u009b2J",
  "\u202egpj.exe",
  "\u2066a\u2069\u200b\ufeff",
  "\u2028\u2029",
  "%n%s${IFS}!*?[a]{b,c}~",
  "../../etc/passwd",
  "<script>",
  "\ud800",
];

const octet = fc.integer({ min: 1, max: 6 });
const sshHost = fc.oneof(
  octet.map((last) => `192.0.2.${last}`),
  octet.map((last) => `198.51.100.${last}`),
  fc.constantFrom(
    "ssh1.vast.example",
    "gate.example.com",
    "node.example.com",
    "localhost",
    "127.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "0:0:0:0:0:ffff:7f00:1",
    "ip6-localhost",
    "0.0.0.0",
    "10.0.0.4",
    "172.20.0.4",
    "169.254.1.1",
    "fe80::1",
    "fd00::4",
    "100.64.0.9",
    "2001:db8::5",
    "root@192.0.2.9",
    "<public-ip>",
    "0x7f.1",
  ),
);
const flag = fc.constantFrom(true, false, "yes", "no", null, "maybe");
const relayName = fc.oneof(name, fc.constantFrom("nobody", null));

const KEYS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  ssh_port: fc.constantFrom(22, "22", 2222, 10_022, "22:30", 0, null),
  ssh_user: fc.constantFrom("root", "ubuntu", "a b", null),
  ssh_key: fc.constantFrom("~/.ssh/id_cluster", "/k", "k"),
  ssh_jump: fc.oneof(name, fc.constantFrom("root@192.0.2.250:22", "nobody")),
  ringrift_path: fc.constantFrom(
    "~/ringrift",
    "/opt/ringrift/ai-service/",
    "/Users/a/r",
    null,
    "x",
  ),
  venv_activate: fc.constantFrom(
    ":",
    "source ~/v/bin/activate",
    "cd x",
    "source $(id)/bin/activate",
  ),
  status: fc.constantFrom("ready", "active", "Ready ", "retired", "offline", "redy", null),
  role: fc.constantFrom("coordinator", "backbone", "proxy", "gpu_selfplay"),
  note: fc.constantFrom("fine", "DESTROYED", "terminated in May", "a\nb"),
  p2p_port: fc.constantFrom(8770, 8771, 0),
  p2p_public_host: fc.constantFrom("203.0.113.7", "node.example.com", "localhost", "0.0.0.0"),
  p2p_url: fc.constantFrom(
    "https://a.example.com",
    "https://b.example.com",
    "http://c.example.com",
  ),
  p2p_number: fc.constantFrom(1, 2, 3, 4_194_302, 0),
  p2p_voter: flag,
  tailscale_ip: fc.oneof(
    octet.map((last) => `100.64.0.${last}`),
    fc.constantFrom(null, "", "100.x.x.x", "192.0.2.1", "fd7a:115c:a1e0::7"),
  ),
  is_container: flag,
  is_ephemeral: flag,
  nat_blocked: flag,
  force_relay_mode: flag,
  relay_capable: flag,
  relay_primary: relayName,
  relay_secondary: relayName,
  provider: fc.constantFrom("vast", "aws", "a b", "Nebius"),
  vast_instance_id: fc.constantFrom("1", 1, "01", "12e4"),
  unknown_key: fc.jsonValue(),
  gpu: fc.constantFrom("none", "no", "MPS"),
};

const body: fc.Arbitrary<HostBody> = fc
  .record(
    {
      ssh_host: sshHost,
      p2p_enabled: fc.oneof(
        { weight: 6, arbitrary: fc.constant(true) },
        { weight: 1, arbitrary: flag },
      ),
      ringrift_path: fc.constant("/opt/ringrift/ai-service"),
    },
    { requiredKeys: ["ssh_host", "p2p_enabled", "ringrift_path"] },
  )
  .chain((base) =>
    fc.uniqueArray(fc.constantFrom(...Object.keys(KEYS)), { maxLength: 6 }).chain((keys) =>
      fc.tuple(...keys.map((key) => KEYS[key] as fc.Arbitrary<unknown>)).map((values) => ({
        ...base,
        ...Object.fromEntries(keys.map((key, i) => [key, values[i]])),
      })),
    ),
  );

const entry = fc.tuple(
  name,
  fc.oneof(
    { weight: 30, arbitrary: body },
    { weight: 1, arbitrary: fc.constantFrom(null, [], ["a"], "soon", 5, {}) },
  ),
);

export const inventory: fc.Arbitrary<Inventory> = fc.record({
  hosts: fc.uniqueArray(entry, { selector: ([key]) => key, minLength: 1, maxLength: 14 }),
  voters: fc.option(
    fc.array(fc.oneof(name, fc.constantFrom(null, "", "nobody")), { maxLength: 9 }),
    {
      nil: undefined,
    },
  ),
  methods: fc.option(
    fc.shuffledSubarray(["tailscale", "cloudflare", "direct", "relay"], { minLength: 1 }),
    { nil: undefined },
  ),
});

/** The text of an inventory; `__proto__` and numbers as names stay in place, because Maps keep them. */
export function textOf({ hosts, voters, methods }: Inventory): string {
  const bodies = hosts.map(
    ([key, value]) => [key, isBody(value) ? new Map(Object.entries(value)) : value] as const,
  );
  return stringify(
    new Map<string, unknown>([
      ...(voters ? [["p2p_voters", voters] as const] : []),
      ...(methods ? [["p2p_discovery", { methods }] as const] : []),
      ["hosts", new Map(bodies)],
    ]),
    { aliasDuplicateObjects: false },
  );
}

export function isBody(value: unknown): value is HostBody {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** The same inventory with hosts, their keys and the voters in another order. */
export function reordered(original: Inventory): fc.Arbitrary<Inventory> {
  const shuffled = <T>(items: readonly T[]): fc.Arbitrary<T[]> =>
    fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length });
  return fc
    .tuple(
      shuffled(original.hosts),
      shuffled(original.voters ?? []),
      fc.array(fc.nat(), { minLength: 30, maxLength: 30 }),
    )
    .map(([hosts, voters, ranks]) => ({
      ...original,
      hosts: hosts.map(([key, value]) => {
        if (!isBody(value)) return [key, value] as const;
        const entries = Object.entries(value).map((pair, i) => ({ pair, rank: ranks[i] ?? i }));
        const sorted = entries.sort((a, b) => a.rank - b.rank).map(({ pair }) => pair);
        return [key, Object.fromEntries(sorted)] as const;
      }),
      voters: original.voters && voters,
    }));
}

/** A small edit of a text, such as a slip of the hand or of a merge. */
export const edit: fc.Arbitrary<(text: string) => string> = fc
  .record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.integer({ min: 0, max: 60 }),
    kind: fc.constantFrom("delete", "insert", "double", "move", "indent"),
    piece: fc.oneof(
      fc.constantFrom(
        "\t",
        "\r",
        "\r\n",
        ":",
        "- ",
        "? ",
        "{",
        "}",
        "[",
        "]",
        "&a ",
        "*a",
        "<<: ",
        "!x ",
      ),
      fc.constantFrom(
        "|",
        ">",
        "'",
        '"',
        "#",
        "%",
        "---\n",
        "...\n",
        "\u0000",
        "\ufeff",
        ": null",
        "~",
      ),
      fc.string({ maxLength: 12, unit: "binary" }),
      fc.constantFrom(...HOSTILE),
    ),
  })
  .map(({ at, length, kind, piece }) => (text: string) => {
    const start = Math.floor(at * text.length);
    const [before, middle, after] = [
      text.slice(0, start),
      text.slice(start, start + length),
      text.slice(start + length),
    ];
    switch (kind) {
      case "delete":
        return before + after;
      case "insert":
        return before + piece + middle + after;
      case "double":
        return before + middle + middle + after;
      case "move":
        return middle + before + after;
      case "indent":
        return `${before}\n${" ".repeat(length % 9)}${middle}${after}`;
    }
  });
