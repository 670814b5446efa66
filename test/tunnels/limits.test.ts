import { applicationsFor, limitWarnings } from "../../tunnels/limits";

const counts = (nodes: number, more = {}) => ({
  nodes,
  voters: 5,
  hasEntry: true,
  applications: applicationsFor(nodes + 1),
  serviceTokens: 1,
  ...more,
});

describe("limitWarnings", () => {
  it.each([0, 1, 45, 300])("has nothing to say about %d nodes", (nodes) => {
    expect(limitWarnings(counts(nodes))).toEqual([]);
  });

  it("names the API's limit for 500 nodes", () => {
    expect(limitWarnings(counts(500))).toEqual([
      "making everything takes some 1605 calls, and Cloudflare allows 1200 in five minutes: bring hosts in by and by, or expect a run that waits and a second one",
    ]);
  });

  it("names the account's limits as they come near, and when they are passed", () => {
    const calls = expect.stringContaining("calls") as string;
    expect(limitWarnings(counts(899, { applications: 0 }))).toEqual([
      "900 of tunnels in an account, of the 1000 that Cloudflare allows",
      calls,
    ]);
    expect(limitWarnings(counts(1000, { applications: 501, serviceTokens: 51 }))).toEqual([
      "1001 of tunnels in an account: Cloudflare allows 1000",
      "501 of Access applications in an account: Cloudflare allows 500",
      "51 of Access service tokens in an account: Cloudflare allows 50",
      calls,
    ]);
  });

  it("names the connectors of the entry", () => {
    const text =
      "27 voters could serve the entry, and a tunnel takes 25 connectors: 2 of them do not";
    expect(limitWarnings(counts(45, { voters: 27 }))).toEqual([text]);
    expect(limitWarnings(counts(45, { voters: 27, hasEntry: false }))).toEqual([]);
  });
});
