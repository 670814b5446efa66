import { type PathsSurroundings, readPaths } from "../../settings/paths";

const ALL = { hasSecret: true, hasNetwork: true };

function read(raw: Record<string, unknown>, around: PathsSurroundings = ALL) {
  const told: unknown[] = [];
  const settings = readPaths(raw, around, (...mistake) => told.push(mistake));
  return { settings, told };
}

describe("p2p:paths", () => {
  it("is on by itself where there is a secret and more than one path", () => {
    expect(read({})).toEqual({
      settings: {
        ...{ inboundPort: 8779, adminPort: 8778, socks: "127.0.0.1:1055", caFile: null },
        ...{ probeSeconds: 5, standbySeconds: 10, timeoutSeconds: 3 },
        ...{ misses: 2, returns: 3, settleSeconds: 60 },
      },
      told: [],
    });
    for (const around of [
      { hasSecret: false, hasNetwork: true },
      { hasSecret: true, hasNetwork: false },
    ])
      expect(read({}, around)).toEqual({ settings: null, told: [] });
  });

  it("is what the configuration says, where it says something", () => {
    expect(read({ enabled: false })).toEqual({ settings: null, told: [] });
    const alone = { hasSecret: true, hasNetwork: false };
    expect(read({ enabled: true, misses: 4 }, alone).settings).toMatchObject({ misses: 4 });
  });

  it.each([
    [{ enabled: "on" }, ["paths.enabled", "true, false or auto", "on"]],
    [{ inboundPort: 0 }, ["paths.inboundPort", "a TCP port", 0]],
    [{ inboundPort: 8778 }, ["paths.adminPort", "another port than inboundPort", 8778]],
    [{ misses: 1.5 }, ["paths.misses", "a count from 1 to 100", 1.5]],
    [{ probeSeconds: "5" }, ["paths.probeSeconds", "a number of seconds from 0.1 to 600", "5"]],
    [{ caFile: "ca.pem" }, ["paths.caFile", "an absolute path on the hosts", "ca.pem"]],
    [{ hurry: true }, ["paths", "only known keys", "hurry"]],
  ])("tells what is wrong: %j", (raw, mistake) => {
    expect(read(raw)).toEqual({ settings: null, told: [mistake] });
  });

  it("cannot be on without a secret", () => {
    expect(read({ enabled: true }, { hasSecret: false, hasNetwork: true }).told).toEqual([
      ["paths.enabled", "p2p:fleetSecret beside it (a secret, set with --secret)", true],
    ]);
  });
});
