import { describePaths, type Electorate, pathsOf } from "../../health/paths";
import { type Facts } from "../../payload/facts";

type Watched = NonNullable<Facts["paths"]>["watched"];
const peer = (active: string | null, ...up: string[]): Watched[string] => ({
  ...{ active, up, daemon: "up" },
  down: {},
});
/** A worker's view of three voters. */
const WORKER: Electorate = { self: "w", voters: ["h1", "h2", "h3"], quorum: 2 };
/** A voter's view of the two others. */
const VOTER: Electorate = { ...WORKER, self: "h1" };

const look = (
  watched: Watched,
  electorate = WORKER,
  more: Partial<NonNullable<Facts["paths"]>> = {},
) => {
  const none = { cutOff: [], waiting: [], mistake: null, troubles: [], error: null };
  const bare = { ...none, lendsToken: true };
  const status = pathsOf({ paths: { ...bare, watched, ...more } }, electorate);
  if (status === null) throw new Error("no status");
  return status;
};
const both = (...up: string[]) => peer(up[0] ?? null, ...up);

describe("how a host reaches the voters", () => {
  it("is nothing where there is no forwarder", () => {
    expect(pathsOf(undefined, WORKER)).toBeNull();
    expect(pathsOf({ paths: null }, WORKER)).toBeNull();
    expect(describePaths(null)).toBe("-");
  });

  it("is told whole", () => {
    const watched = {
      h3: peer("cloudflare", "tailscale", "cloudflare"),
      h1: peer("tailscale", "tailscale", "cloudflare"),
      h2: { ...peer("direct"), down: { direct: "connection refused" } },
      r1: { ...both("tailscale"), daemon: "connection refused" },
    };
    expect(look(watched)).toEqual({
      active: { tailscale: 2, cloudflare: 1 },
      peers: { h1: "tailscale", h2: null, h3: "cloudflare", r1: "tailscale" },
      ...{ verdict: "last", lastPath: null, lastVoters: ["h1", "h3"] },
      ...{ unreachable: ["h2"], silent: ["r1"], problem: "" },
    });
    expect(describePaths(look(watched))).toBe(
      "tailscale 2, cloudflare 1; no path to h2; no daemon at r1; cut off without any of h1, h3",
    );
  });

  it.each<[string, Electorate, Watched, string]>([
    [
      "any one path or voter may fail",
      WORKER,
      {
        h1: both("tailscale", "direct"),
        h2: both("tailscale", "direct"),
        h3: both("direct", "tailscale"),
      },
      "spare: tailscale 2, direct 1",
    ],
    [
      "two of three voters are enough, whatever leads to the third",
      WORKER,
      { h1: both("tailscale", "direct"), h2: both("tailscale", "direct"), h3: both("tailscale") },
      "spare: tailscale 3",
    ],
    [
      "one kind of path is all there is",
      WORKER,
      { h1: both("cloudflare"), h2: both("cloudflare"), h3: both("cloudflare") },
      "last: cloudflare 3; cut off without cloudflare",
    ],
    [
      "a majority has one kind of path in common",
      WORKER,
      { h1: both("cloudflare"), h2: both("cloudflare"), h3: both("tailscale", "cloudflare") },
      "last: cloudflare 2, tailscale 1; cut off without cloudflare",
    ],
    [
      "neither a path nor a voter may fail",
      WORKER,
      { h1: both("tailscale"), h2: both("tailscale"), h3: both() },
      "last: tailscale 2; no path to h3; cut off without tailscale or any of h1, h2",
    ],
    [
      "one of three is left",
      WORKER,
      { h1: both(), h2: both(), h3: both("direct") },
      "cut off: CUT OFF from h1, h2; direct 1",
    ],
    [
      "relays do not stand for voters",
      WORKER,
      { h1: both(), h2: both(), h3: both("direct"), r1: both("direct"), r2: both("direct") },
      "cut off: CUT OFF from h1, h2; direct 3",
    ],
    [
      "a voter counts itself, so one of two others is enough",
      VOTER,
      { h2: both("tailscale", "direct"), h3: both() },
      "last: tailscale 1; no path to h3; cut off without h2",
    ],
    [
      "a voter that reaches both others can do without either",
      VOTER,
      { h2: both("tailscale"), h3: both("direct") },
      "spare: direct 1, tailscale 1",
    ],
    ["a voter alone is cut off", VOTER, { h2: both(), h3: both() }, "cut off: CUT OFF from h2, h3"],
    [
      "fewer can vote than the quorum needs: then all of them are enough",
      { self: "w", voters: ["h1"], quorum: 3 },
      { h1: both("direct", "tailscale") },
      "last: direct 1; cut off without h1",
    ],
    [
      "the only voter needs nobody",
      { self: "h1", voters: ["h1"], quorum: 1 },
      { r1: both("direct") },
      "spare: direct 1",
    ],
    [
      "somebody else's mesh, of which the forwarder has learnt",
      { self: "new", voters: [], quorum: 1 },
      { h1: both("cloudflare"), h2: both("cloudflare"), h3: both() },
      "last: cloudflare 2; no path to h3; cut off without cloudflare or any of h1, h2",
    ],
    ["there is nobody", WORKER, {}, "unknown: no peers"],
    [
      "the path that is taken has just died",
      VOTER,
      { h2: peer("tailscale", "direct"), h3: peer("tailscale", "direct") },
      "last: direct 2; cut off without direct",
    ],
  ])("%s", (_, electorate, watched, text) => {
    const status = look(watched, electorate);
    expect(`${status.verdict}: ${describePaths(status)}`).toBe(text);
  });

  it("says what is wrong with the forwarder itself, and goes on to the paths", () => {
    const watched = { h2: both("direct", "tailscale"), h3: both("direct", "tailscale") };
    const says = (more: Parameters<typeof look>[2], peers: Watched = watched) =>
      describePaths(look(peers, VOTER, more));
    expect(says({ mistake: "the settings: no JSON" })).toBe(
      "new settings refused: the settings: no JSON; direct 2",
    );
    expect(says({ waiting: ["no fleet secret"] })).toBe("no fleet secret; direct 2");
    const troubles = ["tailscaled does not say where nodes are: it is stopped"];
    expect(says({ troubles })).toBe(`${troubles[0]}; direct 2`);
    expect(says({ error: "ConnectionRefusedError: [Errno 111]" }, {})).toBe(
      "the forwarder does not answer: ConnectionRefusedError: [Errno 111]",
    );
  });
});
