import { renderStatus } from "../../cli/status";
import { pathsOf } from "../../health/paths";
import { type Facts } from "../../payload/facts";
import { fleet } from "./run";

type Paths = NonNullable<Facts["paths"]>;
type Peers = Readonly<Record<string, readonly string[]>>;
const VOTERS = ["h1", "h2", "h3"];

/** A healthy host whose forwarder reaches each peer by the named paths, the first of them taken. */
function host(name: string, peers: Peers | null, more: Partial<Paths> = {}, detail = "") {
  const watched = Object.fromEntries(
    Object.entries(peers ?? {}).map(([peer, up]) => [
      peer,
      { active: up[0] ?? null, up: [...up], down: {}, daemon: "up" },
    ]),
  );
  const none = { cutOff: [], waiting: [], mistake: null, troubles: [], error: null };
  const bare = { ...none, lendsToken: true };
  const paths = { ...bare, watched, ...more };
  return {
    ...{ host: name, provider: "vast", voter: VOTERS.includes(name), listens: "loopback" as const },
    ...{ state: detail === "" ? ("HEALTHY" as const) : ("UNREACHABLE" as const), detail },
    paths: pathsOf(peers ? { paths } : undefined, { self: name, voters: VOTERS, quorum: 2 }),
  };
}
const show = (...hosts: ReturnType<typeof host>[]) =>
  renderStatus({ hosts, voters: { declared: 3, alive: 3, quorum: 2, margin: 1 } }, 140);
const summary = (...hosts: ReturnType<typeof host>[]) =>
  show(...hosts)
    .split("\n")
    .find((line) => line.startsWith("paths"));

const TWO = ["tailscale", "cloudflare"];
const WELL = { h1: TWO, h2: TWO, h3: TWO };

describe("fleet status, where there are path forwarders", () => {
  it("shows each host's active paths, and what would cut it off", () => {
    expect(
      show(
        host("h1", { h2: TWO, h3: TWO }),
        host("c1", { h1: ["cloudflare"], h2: ["cloudflare"], h3: [] }),
        host("c2", { h1: [], h2: [], h3: ["tailscale"] }),
        host("c3", null, {}, "connection refused"),
      ),
    ).toBe(`HOST  PROVIDER  VOTER  LISTENS   STATE        PATHS                       DETAIL
h1    vast      yes    loopback  HEALTHY      tailscale 2
c1    vast      -      loopback  HEALTHY      cloudflare 2; no path to
                                              h3; cut off without
                                              cloudflare or any of h1,
                                              h2
c2    vast      -      loopback  HEALTHY      CUT OFF from h1, h2;
                                              tailscale 1
c3    vast      -      loopback  UNREACHABLE  -                           connection refused

healthy  vast 3/4
voters   3 of 3 alive, quorum 2, margin 1
paths    cut off: c2; one failure away from being cut off: c1 (cloudflare or any of h1, h2); not known: c3
`);
  });

  it("groups hosts by what must not fail", () => {
    const tunnel = { h1: ["cloudflare"], h2: ["cloudflare"], h3: ["cloudflare"] };
    expect(summary(host("c1", tunnel), host("c2", tunnel), host("c3", WELL))).toBe(
      "paths    one failure away from being cut off: c1, c2 (cloudflare)",
    );
  });

  it("calls nothing well of which nobody knows", () => {
    expect(summary(host("c1", WELL), host("c2", {}, { error: "timed out" }))).toBe(
      "paths    not known: c2",
    );
    expect(summary(host("c1", WELL), host("h1", { h2: TWO, h3: TWO }))).toBe(
      "paths    every host has a spare one",
    );
  });

  it("has no column for them where there are none", () => {
    expect(show(host("c1", null))).not.toMatch(/PATHS|^paths/m);
  });
});

describe("fleet status, where the file is wrong about a host", () => {
  it("says that the host is missing in what it shows", () => {
    const inventory = `p2p_voters: [a]
hosts:
  a: {ssh_host: 192.0.2.1, ssh_port: 22x, ringrift_path: /srv/ai-service, p2p_enabled: true, role: coordinator}
`;
    const { code, stdout, stderr } = fleet(["status", "--json", "-"], inventory);
    expect({ code, hosts: (JSON.parse(stdout) as { hosts: object[] }).hosts, stderr }).toEqual({
      code: 3,
      hosts: [],
      stderr: "2 errors in -: fleet check - lists them\n",
    });
  });
});
