import * as fc from "fast-check";
import { entryHostname, tunnelHostname, whyUnusable } from "../../tunnels/names";

const NAMING = { zone: "example.com", hostname: "{node}.{zone}", entry: "p2p" };

describe("tunnelHostname", () => {
  it.each([
    ["gpu-7", null, "{node}.{zone}", "gpu-7.example.com"],
    ["GPU-7", null, "{node}.{zone}", "gpu-7.example.com"],
    ["gpu-7", null, "node-{node}.{zone}", "node-gpu-7.example.com"],
    ["gpu-7", null, "bücher-{node}.{zone}", "xn--bcher-gpu-7-thb.example.com"],
    ["gpu-7", "https://Seven.example.com/", "{node}.{zone}", "seven.example.com"],
    ["gpu-7", "https://gpu-7.example.net", "{node}.{zone}", null],
    ["gpu-7", "https://gpu-7.notexample.com", "{node}.{zone}", null],
  ])("gives %s with p2p_url %s by %s the name %s", (node, url, hostname, expected) => {
    expect(tunnelHostname(node, url, { ...NAMING, hostname })).toBe(expected);
  });

  it("gives the entry its name, or none", () => {
    expect(entryHostname(NAMING)).toBe("p2p.example.com");
    expect(entryHostname({ ...NAMING, entry: null })).toBeNull();
  });
});

describe("whyUnusable", () => {
  const long = "n".repeat(64);
  const zone = `${"z".repeat(63)}.${"y".repeat(63)}.${"x".repeat(63)}.example.com`;
  it.each([
    ["gpu-7.example.com", "example.com", undefined],
    [`${"n".repeat(63)}.example.com`, "example.com", undefined],
    ["gpu-7.example.net", "example.com", "is not in the zone example.com"],
    ["example.com", "example.com", "is the zone itself"],
    [`${long}.example.com`, "example.com", "has a label of 64 characters, more than 63"],
    [`${"n".repeat(63)}.${zone}`, zone, "has 267 characters, more than 253"],
    [
      "gpu_7.example.com",
      "example.com",
      'has the label "gpu_7": only letters, digits and "-" can be in one',
    ],
    [".example.com", "example.com", 'has the label "": only letters, digits and "-" can be in one'],
    ["-a.example.com", "example.com", 'has the label "-a": one cannot start or end with "-"'],
    [
      "n1.gpu.example.com",
      "example.com",
      "is 2 levels below the zone, and the certificate covers one",
    ],
  ])("says of %s in %s: %s", (name, inZone, expected) => {
    expect(whyUnusable(name, inZone)).toBe(expected);
  });

  it("lets through only names that DNS and one wildcard certificate take", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 70 }), (node) => {
        const name = tunnelHostname(node, null, NAMING) ?? "";
        if (whyUnusable(name, NAMING.zone) !== undefined) return;
        expect(name).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.example\.com$/);
      }),
    );
  });

  it("lets every plain label through", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/), (node) => {
        const name = tunnelHostname(node, null, NAMING) ?? "";
        expect([name, whyUnusable(name, NAMING.zone)]).toEqual([
          `${node.toLowerCase()}.example.com`,
          undefined,
        ]);
      }),
    );
  });
});
