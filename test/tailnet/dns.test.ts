import { dnsDifferences, dnsGeneration, type DnsSettings } from "../../tailnet/dns";

const WISH: DnsSettings = {
  magicDns: true,
  nameservers: ["192.0.2.53"],
  searchPaths: [],
  overrideLocalDns: false,
};
const EDITED = { ...WISH, nameservers: ["192.0.2.99"], magicDns: false };
const NOW = "2026-11-22T07:00:00.000Z";

describe("dnsDifferences", () => {
  it("tells each setting that somebody changed", () => {
    expect(dnsDifferences(WISH, EDITED)).toEqual([
      "magicDns true → false",
      "nameservers 192.0.2.53 → 192.0.2.99",
    ]);
    expect(dnsDifferences(WISH, { ...WISH, nameservers: [] })).toEqual([
      "nameservers 192.0.2.53 → none",
    ]);
    expect(dnsDifferences(WISH, WISH)).toEqual([]);
  });

  it("takes a wish in another spelling for what the API makes of it", () => {
    const wish = {
      ...WISH,
      nameservers: ["2001:DB8:0::53", "192.0.2.53", "192.0.2.53"],
      searchPaths: ["Example.COM."],
    };
    const live = {
      ...WISH,
      nameservers: ["2001:db8::53", "192.0.2.53"],
      searchPaths: ["example.com"],
    };
    expect(dnsDifferences(wish, live)).toEqual([]);
  });
});

describe("dnsGeneration", () => {
  const last = { generation: "g1", wish: WISH };

  it.each([
    ["the first time", EDITED, null, ""],
    ["as it was left", WISH, last, "g1"],
    ["edited by hand", EDITED, last, "20261122T070000000Z"],
    ["with another wish, which is a change by itself", EDITED, { ...last, wish: EDITED }, "g1"],
    ["when nobody could look", null, last, "g1"],
  ])("%s", (_, live, memory, generation) => {
    expect(dnsGeneration(WISH, live, memory, NOW)).toBe(generation);
  });
});
