import { adoptionOf, readCloudflare } from "../../settings/cloudflare";

const ACCOUNT = "0123456789abcdef0123456789abcdef";
const SUM = "a".repeat(64);
const NEEDED = {
  accountId: ACCOUNT,
  zone: "example.com",
  cloudflared: { version: "2026.8.2", sha256: { x86_64: SUM, aarch64: SUM } },
};

function read(raw: Record<string, unknown>) {
  const mistakes: [string, string, unknown][] = [];
  const settings = readCloudflare(raw, (...mistake) => mistakes.push(mistake));
  return { settings, mistakes };
}

describe("readCloudflare", () => {
  it("is off where nothing is set", () => {
    expect(read({})).toEqual({ settings: null, mistakes: [] });
  });

  it("asks for the account, the zone and the release, and has a default for the rest", () => {
    expect(read(NEEDED)).toEqual({
      mistakes: [],
      settings: {
        ...NEEDED,
        zoneId: null,
        hostname: "{node}.{zone}",
        entry: "p2p",
        access: { generation: 1, overlap: true, duration: "8760h" },
        paths: "p2p",
        protocol: "auto",
        tokenGeneration: 1,
        adopt: {},
        adoptEntry: { tunnel: null, record: null },
      },
    });
  });

  it("turns Access and the entry off by false, and brings a zone into the form of DNS", () => {
    const { settings } = read({ ...NEEDED, access: false, entry: false, zone: "Bücher.Example." });
    expect(settings).toMatchObject({ access: null, entry: null, zone: "xn--bcher-kva.example" });
  });

  it("reads what is adopted, by node", () => {
    const tunnel = "6ff42ae2-765d-4adf-8112-31c55c1551ef";
    const { settings } = read({ ...NEEDED, adopt: { h1: { tunnel } } });
    expect(settings && adoptionOf(settings, "h1")).toEqual({ tunnel, record: null });
    expect(settings && adoptionOf(settings, "h2")).toEqual({ tunnel: null, record: null });
    expect(settings && adoptionOf(settings, "toString")).toEqual({ tunnel: null, record: null });
  });

  it("refuses an entry that no name can be made of", () => {
    expect(read({ ...NEEDED, entry: "p2p.eu" }).mistakes).toEqual([
      [
        "cloudflare.entry",
        "a name that Cloudflare can serve (it is 2 levels below the zone, and the certificate covers one)",
        "p2p.eu",
      ],
    ]);
  });

  it("tells every mistake at once, with the key, what is expected and what is there", () => {
    expect(
      read({
        accountId: "mine",
        zone: "example",
        zoneId: 7,
        hostname: "node.{zone}",
        entry: "",
        access: "yes",
        accessDuration: "1y",
        paths: "some",
        protocol: "udp",
        tokenGeneration: 0,
        cloudflared: { version: "latest", sha256: { x86_64: "a" } },
        adopt: { h1: { tunnel: "t1", records: 1 } },
        zone_id: "",
      }),
    ).toEqual({
      settings: null,
      mistakes: [
        ["cloudflare.accountId", "an id of 32 hexadecimal digits", "mine"],
        ["cloudflare.zone", "a DNS name such as example.com", "example"],
        ["cloudflare.zoneId", "a string", 7],
        [
          "cloudflare.hostname",
          "a template with {node} in it, such as {node}.{zone}",
          "node.{zone}",
        ],
        ["cloudflare.entry", "a label such as p2p, or false", ""],
        ["cloudflare.access", "true or false", "yes"],
        ["cloudflare.accessDuration", "a duration in hours such as 8760h", "1y"],
        ["cloudflare.paths", "one of p2p, all", "some"],
        ["cloudflare.protocol", "one of auto, http2, quic", "udp"],
        ["cloudflare.tokenGeneration", "1 or more", 0],
        ["cloudflare.cloudflared.version", "a release such as 2026.8.2", "latest"],
        ["cloudflare.cloudflared.sha256.x86_64", "a sha256 of 64 hexadecimal digits", "a"],
        ["cloudflare.cloudflared.sha256.aarch64", "a string", undefined],
        ["cloudflare.adopt.h1.tunnel", "a tunnel's id (a UUID)", "t1"],
        ["cloudflare.adopt.h1", 'only known keys (did you mean "record"?)', "records"],
        ["cloudflare", 'only known keys (did you mean "zoneId"?)', "zone_id"],
      ],
    });
  });
});
