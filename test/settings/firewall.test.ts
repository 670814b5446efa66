import { isRange, readFirewall } from "../../settings/firewall";

function read(raw: unknown) {
  const mistakes: string[] = [];
  const settings = readFirewall(raw, (key, expected, got) => {
    mistakes.push(`${key}: expected ${expected}, got ${JSON.stringify(got)}`);
  });
  return { settings, mistakes };
}
const RANGE = "an IPv4 or IPv6 address, or a range such as 192.0.2.0/24";
const RANGES = "a list of IPv4 or IPv6 addresses or ranges such as 192.0.2.0/24";

describe("readFirewall", () => {
  it.each([undefined, "", "on", true, {}])("is on for %j", (raw) => {
    expect(read(raw)).toEqual({ settings: { allow: [], hosts: {} }, mistakes: [] });
  });

  it.each(["off", false, { enabled: false }, { enabled: false, allow: ["192.0.2.1"] }])(
    "is off for %j",
    (raw) => {
      expect(read(raw)).toEqual({ settings: null, mistakes: [] });
    },
  );

  it("reads ranges of both families, once each and sorted, and hosts of their own", () => {
    const raw = {
      allow: [
        "2001:db8::/32",
        "192.0.2.0/24",
        "192.0.2.0/24",
        "2001:DB8:0::/32",
        "64:ff9b::192.0.2.1",
      ],
      hosts: { h1: { allow: ["198.51.100.7"] }, h2: "off", h3: {} },
    };
    expect(read(raw)).toEqual({
      settings: {
        allow: ["192.0.2.0/24", "2001:db8::/32", "64:ff9b::c000:201"],
        hosts: { h1: { allow: ["198.51.100.7"] }, h2: "off", h3: { allow: [] } },
      },
      mistakes: [],
    });
  });

  it.each<[unknown, string[]]>([
    ["maybe", ['firewall: expected on, off or a mapping, got "maybe"']],
    [["192.0.2.1"], ['firewall: expected on, off or a mapping, got ["192.0.2.1"]']],
    [
      { alow: [] },
      ['firewall: expected only enabled, allow, hosts (did you mean "allow"?), got "alow"'],
    ],
    [{ enabled: "no" }, ['firewall.enabled: expected true or false, got "no"']],
    [{ allow: "192.0.2.1" }, [`firewall.allow: expected ${RANGES}, got "192.0.2.1"`]],
    [
      { allow: ["192.0.2.1", "0.0.0.0/0", 7, "::/00", "::ffff:192.0.2.1", "::ffff:c000:200/120"] },
      [
        'firewall.allow[1]: expected less than all addresses (p2p:firewall off lets everybody in), got "0.0.0.0/0"',
        `firewall.allow[2]: expected ${RANGE}, got 7`,
        'firewall.allow[3]: expected less than all addresses (p2p:firewall off lets everybody in), got "::/00"',
        'firewall.allow[4]: expected an IPv4 address written as one, for no packet has it as IPv6, got "::ffff:192.0.2.1"',
        'firewall.allow[5]: expected an IPv4 address written as one, for no packet has it as IPv6, got "::ffff:c000:200/120"',
      ],
    ],
    [{ hosts: ["h1"] }, ['firewall.hosts: expected a mapping of host names, got ["h1"]']],
    [{ hosts: { h1: "x" } }, ['firewall.hosts.h1: expected off or a mapping with allow, got "x"']],
    [
      { hosts: { h1: { allow: ["gpu.example"] } } },
      [`firewall.hosts.h1.allow[0]: expected ${RANGE}, got "gpu.example"`],
    ],
  ])("refuses %j", (raw, mistakes) => {
    expect(read(raw).mistakes).toEqual(mistakes);
  });
});

describe("isRange", () => {
  it.each(["192.0.2.1", "192.0.2.0/24", "10.0.0.0/8", "2001:db8::1", "2001:db8::/32"])(
    "takes %s",
    (text) => {
      expect(isRange(text)).toBe(true);
    },
  );
  it.each([
    "",
    "192.0.2",
    "192.0.2.0/33",
    "192.0.2.0/0",
    "192.0.2.0/24/1",
    "::/0",
    "fe80::1%eth0",
    "a/8",
    "192.0.2.1; drop",
    "192.0.2.0/ 8",
    "192.0.2.0/024",
    "::ffff:192.0.2.1",
  ])("refuses %j", (text) => {
    expect(isRange(text)).toBe(false);
  });
});
