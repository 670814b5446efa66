import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashNumber, loopbackAddress } from "../../hosts/plan/number";
import { machineFacts, whyNoLab } from "../../lab/fleet/machineCheck";
import { until } from "../../lab/fleet/until";
import { Cuts, EDGE, type Rule, tailnet } from "./cuts";
import { LabFleet } from "./labFleet";
import { addContainer, MeshLab } from "./meshLab";
import { joinThroughEntry } from "./newcomer";
import { Observer, restarts, summary, withoutQuorum } from "./observer";
import { quickest } from "./quickest";
import { smallLab } from "./smallLab";

// A mesh over the tailnet and tunnels, on systemd machines with a TUN device and on containers without one: every
// daemon knows every node by one address, and a cut path restarts nobody. Elections of the real daemon, QUIC and
// the real edge are not proven here (docs/lab.md). PATHS_LONG=1 (npm run test:soak): nine hosts, every cut, flaps,
// a fleet that gets paths while it runs, a host that leaves, and back to a fleet without paths.

const isLong = process.env["PATHS_LONG"] === "1";
const why = whyNoLab(machineFacts());
const onLab = why === null ? describe : describe.skip;
const title = why === null ? "paths" : `paths (skipped here: ${why})`;
const long = isLong ? it : it.skip;
jest.setTimeout(1_800_000);

const VOTERS = isLong ? ["h1", "h2", "h3", "h4", "h5"] : ["h1", "h2", "h3"];
/** Not there at first: a container without TUN, systemd and supervisord. */
const NEWCOMER = "c2";
const FIRST = [...VOTERS, ...(isLong ? ["h6", "c1", "c3"] : ["c1"])];
const HOSTS = [...FIRST, NEWCOMER];
/** In nobody's fleet until its owner lets it join. */
const OUTSIDER = "x1";
const BOTH = ["tailscale", "cloudflare"];
const SECRET = "planted-fleet-secret-of-the-lab";
/** Seconds in which contact with a majority of voters is regained, at default settings. */
const MOST_SECONDS = 45;

onLab(title, () => {
  let fleet: LabFleet;
  let mesh: MeshLab;
  let cuts: Cuts;
  let watch: ReturnType<MeshLab["watch"]>;
  const folder = mkdtempSync(join(tmpdir(), "paths-lab-"));
  const measured: Record<string, number> = {};
  const paths = (more: object = {}) => fleet.configure("p2p:paths", { enabled: true, ...more });
  const forwarders = async (hosts: readonly string[]) =>
    Promise.all(hosts.map(async (host) => [host, (await mesh.summary(host))?.pid]));
  const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

  const switchOn = async () => {
    await fleet.setSecret("p2p:fleetSecret", SECRET);
    paths({ settleSeconds: 61 });
    fleet.edit(["p2p_discovery", "methods"], ["tailscale", "cloudflare"]);
  };
  /** One run that restarts each of these daemons once, with the quorum up at every look. */
  /** Looks ten times a second at who restarts, and at who is up meanwhile. */
  const watchedUp = async (hosts: readonly string[], what: string) => {
    const observer = Observer.start(fleet.lab, hosts, "loopback");
    expect(await observer.seen(hosts.length, 60_000)).toBe(true);
    await fleet.mustUp();
    const samples = await observer.stop();
    const quorum = Math.floor(VOTERS.length / 2) + 1;
    process.stdout.write(`paths: ${what}: ${summary(samples, VOTERS, quorum)}\n`);
    expect(restarts(samples)).toEqual(Object.fromEntries(hosts.map((host) => [host, 1])));
    return withoutQuorum(samples, VOTERS, quorum);
  };

  beforeAll(async () => {
    const hosts = HOSTS.filter((host) => host !== "c3");
    const files = smallLab(folder, { hosts, voters: VOTERS });
    if (isLong) addContainer(files, "c3", "10.77.0.23");
    addContainer(files, OUTSIDER, "10.77.0.24", { p2p_enabled: false });
    fleet = await LabFleet.up(
      { name: "the embedded engine", pulumi: undefined },
      { ...files, with: ["tailnet", "cloudflare"] },
    );
    cuts = new Cuts(fleet.lab, "h1");
    mesh = new MeshLab(fleet, HOSTS, VOTERS);
    fleet.edit(["hosts", NEWCOMER, "status"], "offline");
    // A voter that is restarted is waited for until the others have met it again, which takes the long form minutes.
    if (!isLong) await switchOn();
    await fleet.mustUp();
    await fleet.stopQuickly(HOSTS);
  });
  afterAll(async () => {
    process.stdout.write(`paths: seconds ${JSON.stringify(measured)}\n`);
    await fleet?.lab.down();
    rmSync(folder, { recursive: true, force: true });
  });

  long("are given to a running fleet with one restart of each daemon, in waves", async () => {
    await switchOn();
    expect(await watchedUp(FIRST, "switched on")).toEqual([]);
  });

  it("are in order after one run: the next has nothing to change, and the outputs have every path", async () => {
    expect(await fleet.steps()).toEqual([]);
    expect(await mesh.pathsOf(FIRST)).toEqual(FIRST.map((host) => [host, BOTH]));
  });

  it("take a new host, another address and new settings without a restart of anything else", async () => {
    const daemons = await fleet.startTimes(FIRST);
    const before = await forwarders(FIRST);
    fleet.edit(["hosts", NEWCOMER, "status"], "ready");
    fleet.edit(["hosts", "h2", "p2p_public_host"], "10.77.0.112");
    paths();
    await fleet.mustUp();
    expect(await fleet.startTimes(FIRST)).toEqual(daemons);
    expect(await forwarders(FIRST)).toEqual(before);
    expect(await fleet.steps()).toEqual([]);
    expect(await mesh.pathsOf(HOSTS)).toEqual(HOSTS.map((host) => [host, BOTH]));
    await mesh.learnAddresses();
    for (const host of FIRST) {
      const events = await mesh.events(host);
      expect([host, events.filter(({ what }) => what === "settings refused")]).toEqual([host, []]);
      const peers = `with ${HOSTS.length - 1} peers`;
      expect([host, events.some(({ reason }) => reason.includes(peers))]).toEqual([host, true]);
    }
  });

  it("give every node one address, the same for everybody who looks, and one leader", async () => {
    await mesh.whole();
    watch = mesh.watch();
    expect(await mesh.allOn("tailscale")).toBe(true);
    if (isLong) measured["nothing cut"] = await mesh.regained();
  });

  it("move to the tunnel and back whatever is cut, without a restart and with nobody down", async () => {
    const before = await fleet.startTimes(HOSTS);
    let standing: readonly Rule[] = [];
    const backBefore = (rules: readonly Rule[]) => async () => {
      await cuts.set(...rules);
      await mesh.regained();
    };
    const cut = async (name: string, rules: readonly Rule[], again = backBefore(standing)) => {
      const measure = async () => {
        await cuts.set(...rules);
        return mesh.regained();
      };
      measured[name] = await quickest(name, MOST_SECONDS, measure, again);
      standing = rules;
    };
    const [from, to] = [{ from: cuts.address("h2") }, { to: cuts.address("h2") }];
    await cut("tailnet cut, from one host", tailnet(from));
    if (isLong) {
      await cut("tailnet cut, to one host", tailnet(to));
      await cut("tailnet cut, for one host", [...tailnet(from), ...tailnet(to)]);
      await cut("edge cut", EDGE);
    }
    await cut("tailnet cut, for all", tailnet());
    for (const seconds of isLong ? [0, 120] : [0]) {
      const after = seconds > 0 ? ` after ${seconds} s` : "";
      const cutBoth = async () => {
        await cuts.set(...tailnet(), ...EDGE);
        await mesh.everybodyIsCutOff();
        await sleep(seconds);
      };
      await cutBoth();
      await cut(`both cut, edge back${after}`, tailnet(), cutBoth);
      await cutBoth();
      await cut(`both cut, tailnet back${after}`, EDGE, cutBoth);
    }
    await cut("all back", []);
    expect(await fleet.startTimes(HOSTS)).toEqual(before);
    const late = Object.entries(measured).filter(([, seconds]) => seconds > MOST_SECONDS);
    expect(late).toEqual([]);
    measured["longest silence between two nodes"] = watch.longestSilence();
  });

  long("change a path at most once for ten flaps in a minute", async () => {
    expect(await mesh.allOn("tailscale")).toBe(true);
    const { from, to } = { from: cuts.address("c2"), to: cuts.address("c2") };
    const moves = async () =>
      (await Promise.all(HOSTS.map(mesh.events))).map((events) =>
        events.filter(({ what }) => what === "active"),
      );
    const before = await moves();
    for (let flap = 0; flap < 10; flap += 1) {
      await cuts.set(...tailnet({ from }), ...tailnet({ to }));
      await sleep(3);
      await cuts.set();
      await sleep(3);
    }
    const changes = (await moves()).flatMap((events, index) => {
      const fresh = events.slice(before[index]?.length ?? 0);
      return HOSTS.map((peer) => fresh.filter((event) => event.peer === peer).length);
    });
    measured["most changes of a path in ten flaps"] = Math.max(...changes);
    expect(Math.max(...changes)).toBeLessThanOrEqual(1);
  });

  it("lose a forwarder at the cost of one request that is made again", async () => {
    const before = await fleet.startTimes(HOSTS);
    /** @returns most failed heartbeats in a row that anybody counted */
    const kill = async (host: string): Promise<number> => {
      await mesh.regained();
      const old = (await mesh.summary(host))?.pid;
      if (old === undefined) throw new Error(`${host}: no forwarder`);
      const during = mesh.watch();
      await fleet.lab.inside(host, ["kill", "-9", String(old)]);
      measured[`forwarder of ${host} killed`] = await mesh.regained();
      const looks = await during.stop();
      expect((await mesh.summary(host))?.pid).not.toBe(old);
      return Math.max(...looks.map(({ mostFailures }) => mostFailures));
    };
    for (const host of isLong ? ["h2", NEWCOMER] : ["h2"]) {
      let failures = await kill(host);
      // On a machine that takes longer to start the next one than there is from heartbeat to heartbeat.
      for (let tries = 1; failures > 1 && tries < 3; tries += 1) failures = await kill(host);
      measured[`failed heartbeats in a row, forwarder of ${host} killed`] = failures;
      expect(failures).toBeLessThanOrEqual(1);
    }
    expect(await fleet.startTimes(HOSTS)).toEqual(before);
  });

  it("never showed anybody another address, another leader or a node that is down", async () => {
    const looks = await watch.stop();
    process.stdout.write(`paths: looked at all daemons ${looks.length} times\n`);
    const different = looks.filter(
      ({ addresses, leaders, down }) =>
        addresses.join() !== mesh.expectedAddresses.join() ||
        leaders.join() !== "h1" ||
        down.length > 0,
    );
    expect(different).toEqual([]);
    expect(looks.length).toBeGreaterThan(0);
  });

  it("let nobody in who is not of the fleet, and leave no secret where it can be read", async () => {
    const ask = async (from: string, address: string, seconds: number) => {
      const words = ["-s", "-m", String(seconds), "-o", "/dev/null", "-w", "%{http_code}"];
      const url = `http://${address}:8779/health`;
      return (await fleet.lab.inside(from, ["curl", ...words, url])).stdout;
    };
    expect(await ask("h1", mesh.tailnet["h2"] ?? "", 60)).toBe("401");
    // Nothing is to come there past the tailnet and the tunnels, so the firewall has not opened it.
    expect(await ask("h1", "10.77.0.13", 5)).toBe("000");
    const places = "/opt/ringrift-p2p /var/log /tmp /proc/*/cmdline";
    // The search has a command line of its own, in which the words must not stand.
    const words = `[${SECRET.slice(0, 1)}]${SECRET.slice(1)}`;
    for (const host of HOSTS)
      expect(await fleet.on(host, `grep -rl '${words}' ${places} 2>/dev/null || true`)).toBe("");
  });

  it("let in a machine that knows nothing but the entry", async () => {
    await joinThroughEntry(fleet, {
      host: OUTSIDER,
      entry: "https://p2p.fleet.example",
      fleetSecret: SECRET,
      access: await fleet.on("h1", "cat /etc/ringrift/access-token.json"),
    });
    const peers = async (host: string) =>
      Object.entries((await mesh.status(host))?.all_peers ?? {})
        .filter(([, { is_alive }]) => is_alive)
        .map(([name, peer]) => `${name} ${peer.host}:${peer.port}`)
        .sort();
    const own = `${OUTSIDER} ${loopbackAddress(hashNumber(OUTSIDER))}:8770`;
    const sees = async () => (await peers(OUTSIDER)).length === HOSTS.length;
    const isSeen = async (host: string) => (await peers(host)).includes(own);
    const everybody = async () =>
      (await sees()) && (await Promise.all(HOSTS.map(isSeen))).every(Boolean);
    await until(everybody, 400_000, 500);
    // Nobody is known under the entry's address, whoever answered there.
    expect(await peers(OUTSIDER)).toEqual(mesh.expectedAddresses);
    for (const host of HOSTS)
      expect([host, await isSeen(host), (await peers(host)).length]).toEqual([
        host,
        true,
        HOSTS.length,
      ]);
    const follows = async () => (await mesh.status(OUTSIDER))?.leader_id === "h1";
    expect(await until(follows, 120_000, 500)).toBe(true);
  });

  long("let a host go without a restart of any other daemon", async () => {
    const others = HOSTS.filter((host) => host !== "c3");
    const before = await fleet.startTimes(others);
    const pids = await forwarders(others);
    fleet.edit(["hosts", "c3", "status"], "retired");
    await fleet.mustUp();
    expect(await fleet.startTimes(others)).toEqual(before);
    expect(await forwarders(others)).toEqual(pids);
  });

  long("are taken away again with one restart of each daemon, all at once", async () => {
    const others = HOSTS.filter((host) => host !== "c3");
    // Without forwarders the voters need addresses of their own.
    fleet.edit(["p2p_discovery", "methods"], undefined);
    fleet.edit(["hosts", "h2", "p2p_public_host"], cuts.address("h2"));
    paths({ enabled: false });
    expect(await watchedUp(others, "switched off")).not.toEqual([]);
    for (const host of others) expect([host, await mesh.summary(host)]).toEqual([host, undefined]);
  });
});
