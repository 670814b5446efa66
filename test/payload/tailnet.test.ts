import { deviceName } from "../../hosts/plan/deviceName";
import { type Facts, type TailnetFact } from "../../payload/facts";
import {
  compareJoin,
  compareLeaving,
  isLeaving,
  isOverTailnet,
  joinHold,
  type JoinSpec,
  leavingHold,
  needsKey,
  restartWarnings,
  tailnetNotes,
} from "../../payload/tailnetJoin";
import { type PrepareSpec } from "../../payload/spec";
import { stateDirectory, tailnetPart, withNetworking } from "../../payload/tailnetPart";
import { planOf } from "./plans";

const SUMS = { x86_64: "a".repeat(64), aarch64: "b".repeat(64) };
const OPTIONS = { version: "1.102.2", sha256: SUMS, mirror: null };
const facts = (tun: boolean, tailnet: Partial<TailnetFact> | null = null) =>
  ({ tun, tailnet: tailnet && { ...JOINED, ...tailnet } }) as Facts;
const JOINED: TailnetFact = {
  ours: true,
  joined: true,
  loggedIn: true,
  backend: "Running",
  version: "1.102.2",
  nodeId: "n1",
  name: "h4.example.ts.net",
  hostname: "h4",
  addresses: ["100.64.0.4"],
  tags: ["tag:hetzner-nodes"],
  keyExpiry: null,
  tun: true,
  online: true,
  loginServer: "https://controlplane.tailscale.com",
  acceptDns: false,
  health: [],
  error: null,
};
const SPEC: JoinSpec = {
  node: "h4",
  hostname: "h4",
  tags: ["tag:hetzner-nodes"],
  loginServer: null,
  acceptDns: false,
};

describe("tailnetPart", () => {
  it("runs tailscaled with a TUN device where one opens, whatever the file says", () => {
    const host = planOf({ networking: "userspace", container: true });
    const part = tailnetPart(host, facts(true), OPTIONS);
    expect(part.services.map(({ argv }) => argv)).toEqual([
      [
        "/opt/ringrift-p2p/bin/tailscaled",
        "--state=/opt/ringrift-p2p/tailscale/tailscaled.state",
        "--statedir=/opt/ringrift-p2p/tailscale",
        "--socket=/run/tailscale/tailscaled.sock",
      ],
    ]);
    expect([part.environment, part.pythonWanted]).toEqual([{}, {}]);
    expect(part.tools[0]).toEqual({
      name: "tailscale",
      version: "1.102.2",
      sources: {
        x86_64: {
          url: "https://pkgs.tailscale.com/stable/tailscale_1.102.2_amd64.tgz",
          sha256: SUMS.x86_64,
          member: "tailscale_1.102.2_amd64/tailscale",
        },
        aarch64: {
          url: "https://pkgs.tailscale.com/stable/tailscale_1.102.2_arm64.tgz",
          sha256: SUMS.aarch64,
          member: "tailscale_1.102.2_arm64/tailscale",
        },
      },
    });
  });

  it("uses userspace networking, with the proxy and the daemon's way to it, where none opens", () => {
    const part = tailnetPart(planOf({ container: true }), facts(false), {
      ...OPTIONS,
      mirror: "http://192.0.2.9/m/",
    });
    expect(part.services[0]?.argv.slice(4)).toEqual([
      "--tun=userspace-networking",
      "--socks5-server=localhost:1055",
      "--outbound-http-proxy-listen=localhost:1055",
    ]);
    expect(part.environment).toEqual({
      P2P_FLEET_TAILSCALED: "1.102.2",
      RINGRIFT_NEEDS_USERSPACE_TAILSCALE: "true",
      RINGRIFT_SOCKS_PROXY: "socks5://localhost:1055",
      RINGRIFT_TAILSCALE_SOCKS_PORT: "1055",
    });
    expect(part.pythonWanted).toEqual({ aiohttp_socks: "aiohttp-socks" });
    expect(part.tools[1]?.sources.x86_64?.url).toBe(
      "http://192.0.2.9/m/stable/tailscale_1.102.2_amd64.tgz",
    );
  });

  it("brings nothing to a host whose system runs a tailscaled of its own", () => {
    const part = tailnetPart(planOf(), facts(true, { ours: false }), OPTIONS);
    expect([part.tools, part.services]).toEqual([[], []]);
    expect(tailnetNotes(facts(true, { ours: false }))).toEqual([
      "uses the system's own tailscaled",
    ]);
  });

  it("keeps a rented container's identity on its volume", () => {
    const path = { aiServicePath: "/workspace/ringrift/ai-service" };
    expect(stateDirectory(planOf({ ...path, container: true }))).toBe(
      "/workspace/.ringrift-p2p/tailscale",
    );
    expect(stateDirectory(planOf(path))).toBe("/opt/ringrift-p2p/tailscale");
    expect(stateDirectory(planOf({ container: true }))).toBe("/opt/ringrift-p2p/tailscale");
  });

  it("takes the proxy from the environment of a host on which a TUN device opens after all", () => {
    const environment = {
      A: "1",
      RINGRIFT_SOCKS_PROXY: "x",
      RINGRIFT_NEEDS_USERSPACE_TAILSCALE: "true",
    };
    const host = planOf({ networking: "userspace", environment });
    expect(withNetworking(host, facts(true))).toEqual({
      ...host,
      networking: "tun",
      environment: { A: "1" },
    });
    expect(withNetworking(host, facts(false))).toBe(host);
    expect(withNetworking(host, undefined)).toBe(host);
  });
});

describe("compareJoin", () => {
  const told = (tailnet: Partial<TailnetFact> | null, spec = SPEC) =>
    compareJoin(spec, facts(true, tailnet)).map(({ what, want, is }) => `${what}: ${want} → ${is}`);

  it.each<[string, Partial<TailnetFact> | null, string[], boolean]>([
    ["a device as wished", {}, [], false],
    ["one that is only connecting", { backend: "Starting" }, [], false],
    ["no tailscale", null, ["tailnet login: joined → no tailscale"], true],
    [
      "a login that is gone",
      { backend: "NeedsLogin" },
      ["tailnet login: joined → logged out (NeedsLogin)"],
      true,
    ],
    [
      "a first join",
      { backend: "NeedsLogin", joined: false },
      ["tailnet login: joined → never joined"],
      true,
    ],
    ["a device that was set down", { backend: "Stopped" }, ["tailnet state: up → down"], false],
    ["other tags", { tags: [] }, ["tailnet tags: tag:hetzner-nodes → none"], true],
    ["another name", { hostname: "x" }, ["tailnet hostname: h4 → x"], false],
    ["DNS by the tailnet", { acceptDns: true }, ["tailnet accept-dns: false → true"], false],
    ["a device that waits for approval", { backend: "NeedsMachineAuth" }, [], false],
    ["a tailscaled that is down on a joined host", { backend: null }, [], true],
    [
      "a tailscaled that never answered",
      { backend: null, joined: false, error: "no such file" },
      ["tailnet login: joined → no such file"],
      true,
    ],
  ])("tells %s", (_, tailnet, drift, key) => {
    expect(told(tailnet)).toEqual(drift);
    if (drift.length > 0) expect(needsKey(SPEC, facts(true, tailnet))).toBe(key);
  });

  it("sees another login server, where one is configured", () => {
    const spec = { ...SPEC, loginServer: "https://control.example.com" };
    expect(told({}, spec)).toEqual([
      "tailnet login server: https://control.example.com → https://controlplane.tailscale.com",
    ]);
  });
});

describe("tailnetNotes", () => {
  const told = (tailnet: Partial<TailnetFact>) => tailnetNotes(facts(true, tailnet));

  it("tells that the name was taken, and nothing of one that was not", () => {
    expect(told({ name: "h4-1.example.ts.net" })).toEqual([
      "the tailnet calls it h4-1.example.ts.net, not h4: another device has that name (fleet sync tailscale tells which), or somebody renamed it",
    ]);
    expect([told({}), told({ hostname: "H4" }), told({ name: null })]).toEqual([[], [], []]);
  });
});

describe("joinHold", () => {
  const why = (tailnet: Partial<TailnetFact>, options = { overTailnet: false, takeover: false }) =>
    joinHold(SPEC, facts(true, tailnet), options);

  it("leaves somebody else's login alone, unless it may take over", () => {
    const foreign = { ours: false, tags: ["tag:web"] };
    expect(why(foreign)).toBe(
      "its own tailscaled is logged in with the tags tag:web; p2p:takeover logs it in anew",
    );
    expect(why(foreign, { overTailnet: false, takeover: true })).toBeUndefined();
    expect(why({ ours: false })).toBeUndefined();
    const down = { ...foreign, backend: "Stopped", joined: false };
    expect(why(down)).toMatch(/^its own tailscaled is logged in somewhere and was turned off/);
    expect(why(down, { overTailnet: false, takeover: true })).toBeUndefined();
    expect([why({ ...down, joined: true }), why({ ...down, ours: true })]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it("does not cut the way it comes by", () => {
    const over = { overTailnet: true, takeover: false };
    expect(why({ tags: [] }, over)).toMatch(/^the new login would cut/);
    expect(why({ hostname: "x" }, over)).toBeUndefined();
    expect(why({ backend: "NeedsLogin" }, over)).toBeUndefined();
  });
});

describe("leaving", () => {
  const spec = (...names: string[]) =>
    ({ state: "present", services: names.map((name) => ({ name })) }) as unknown as PrepareSpec;
  const ABSENT = { state: "absent", node: "h4" } as PrepareSpec;
  const at = (host: string) => ({ ...planOf().connection, host });

  it("is the drift of a host that we joined and that is to be in no tailnet", () => {
    const drift = { what: "tailnet login", want: "none", is: "joined as h4.example.ts.net" };
    expect(compareLeaving(spec("cloudflared"), facts(true, {}))).toEqual([drift]);
  });

  it("ends the login that we gave the system's own tailscaled only for good", () => {
    const foreign = { ours: false, loggedIn: true };
    const isLeft = (wish: PrepareSpec, tailnet: Partial<TailnetFact>) =>
      isLeaving(wish, facts(true, tailnet));
    expect([isLeft(ABSENT, foreign), isLeft(spec(), foreign)]).toEqual([true, false]);
    expect(isLeft(ABSENT, { ...foreign, loggedIn: false })).toBe(false);
  });

  it.each<[string, PrepareSpec, Partial<TailnetFact> | null]>([
    ["one that stays", spec("tailscaled"), {}],
    ["one that never joined", spec(), { joined: false }],
    ["one without tailscale", spec(), null],
    ["the system's own tailscaled", spec(), { ours: false }],
    ["one that is left altogether", ABSENT, {}],
  ])("is nothing for %s", (_, wish, tailnet) => {
    expect(compareLeaving(wish, facts(true, tailnet))).toEqual([]);
  });

  it.each<[string, boolean]>([
    ["100.64.0.4", true],
    ["100.99.1.2", true],
    ["fd7a:115c:a1e0::4", true],
    ["H4.example.ts.net.", true],
    ["192.0.2.4", false],
    ["h4.example.net", false],
  ])("is held where the controller comes by %s: %s", (host, isOver) => {
    expect(isOverTailnet(at(host), facts(true, {}))).toBe(isOver);
    const why = isOver
      ? "tailnet: the logout would cut the tailnet address it is reached by; give it another ssh_host for that run"
      : undefined;
    expect(leavingHold(spec(), at(host), facts(true, {}))).toBe(why);
    expect(leavingHold(ABSENT, at(host), facts(true, {}))).toBe(why);
    expect(leavingHold(spec("tailscaled"), at(host), facts(true, {}))).toBeUndefined();
  });
});

describe("restartWarnings", () => {
  const told = (what: string, host: string) =>
    restartWarnings(
      [{ what, want: "1", is: "0" }],
      { ...planOf().connection, host },
      facts(true, {}),
    ).length;

  it.each([
    ["tailscaled", "100.64.0.4", 1],
    ["service tailscaled file", "h4.example.ts.net", 1],
    ["service tailscaled", "192.0.2.4", 0],
    ["service cloudflared", "100.64.0.4", 0],
    ["cloudflared", "100.64.0.4", 0],
  ])("for %s over %s: %i", (what, host, count) => expect(told(what, host)).toBe(count));
});

describe("deviceName", () => {
  it.each([
    ["vast-123", "vast-123"],
    ["Mac_Studio.1", "mac-studio-1"],
    ["-x-", "x"],
    ["a".repeat(70), "a".repeat(63)],
  ])("%s is %s", (node, name) => expect(deviceName(node)).toBe(name));
});
