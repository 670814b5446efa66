import { describePaths, pathsOf } from "../../health/paths";
import { type Facts } from "../../payload/facts";

type Watched = NonNullable<Facts["paths"]>["watched"];
const peer = (active: string, ...up: string[]): Watched[string] => ({
  ...{ active, up, daemon: "up" },
  down: {},
});
const look = (watched: Watched, more: Partial<NonNullable<Facts["paths"]>> = {}) =>
  pathsOf({
    paths: {
      ...{ watched, cutOff: [], waiting: [], mistake: null, error: null, lendsToken: true },
      ...more,
    },
  });

describe("how a host reaches the voters", () => {
  it("is nothing where there is no forwarder", () => {
    expect([pathsOf(undefined), pathsOf({ paths: null }), describePaths(null)]).toEqual([
      null,
      null,
      "-",
    ]);
  });

  it.each([
    [
      "any path may fail",
      {
        h1: peer("tailscale", "tailscale", "direct"),
        h2: peer("tailscale", "tailscale", "direct"),
      },
      ["spare", null, "tailscale 2"],
    ],
    [
      "a majority stays though one peer would not",
      {
        h1: peer("tailscale", "tailscale", "direct"),
        h2: peer("direct", "direct", "tailscale"),
        h3: peer("tailscale", "tailscale"),
      },
      ["spare", null, "tailscale 2, direct 1"],
    ],
    [
      "one path is all there is",
      { h1: peer("cloudflare", "cloudflare"), h2: peer("cloudflare", "cloudflare") },
      ["last", "cloudflare", "cloudflare 2; cut off without cloudflare"],
    ],
    [
      "a minority is left",
      { h1: peer("tailscale"), h2: peer("tailscale"), h3: peer("direct", "direct") },
      ["cut off", null, "CUT OFF from h1, h2"],
    ],
    ["there is nobody", {}, ["unknown", null, "no peers"]],
  ] as const)("%s", (_, watched, [verdict, lastPath, text]) => {
    const status = look(watched);
    expect(status).toMatchObject({ verdict, lastPath });
    expect(describePaths(status)).toBe(text);
  });

  it("says first what is wrong with the forwarder itself", () => {
    const status = look({ h1: peer("direct", "direct") }, { mistake: "the settings: no JSON" });
    expect(describePaths(status)).toBe("the settings: no JSON");
  });
});
