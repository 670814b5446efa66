import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machineFacts, whyNoLab } from "../../lab/fleet/machineCheck";
import { LabFleet } from "./labFleet";
import { smallLab } from "./smallLab";

// A forwarder that is killed, has no room to write or is given nonsense: what the daemon and its peers notice of it, on
// a systemd machine and on a container whose port 8779 its provider maps.

const why = whyNoLab(machineFacts());
const onLab = why === null ? describe : describe.skip;
const title = why === null ? "a forwarder" : `a forwarder (skipped here: ${why})`;
jest.setTimeout(900_000);

const HOSTS = ["h1", "h2", "c1"];
const SETTINGS = "/opt/ringrift-p2p/paths/settings.json";
const STATE = "/opt/ringrift-p2p/paths/state";

interface Summary {
  readonly pid: number;
  readonly mistake: string | null;
  readonly eventsProblem: string | null;
  readonly cutOff: readonly string[];
}

onLab(title, () => {
  let fleet: LabFleet;
  let before: Record<string, number | null>;
  let addresses: Record<string, string>;
  const measured: Record<string, number> = {};
  const folder = mkdtempSync(join(tmpdir(), "forwarder-faults-"));

  const summary = async (host: string): Promise<Summary | undefined> => {
    const argv = ["curl", "-s", "-m", "60", "http://127.0.0.1:8778/summary"];
    const { code, stdout } = await fleet.lab.inside(host, argv);
    return code === 0 ? (JSON.parse(stdout) as Summary) : undefined;
  };
  /** Who answers at a node's loopback address, asked from another host. */
  const reaches = async (from: string, to: string): Promise<boolean> => {
    const url = `http://${addresses[to]}:8770/health`;
    const { stdout } = await fleet.lab.inside(from, ["curl", "-s", "-m", "3", url]);
    return stdout.includes(`"node_id": "${to}"`) || stdout.includes(`"node_id":"${to}"`);
  };
  const until = async (what: string, look: () => Promise<boolean>): Promise<number> => {
    const began = Date.now();
    while (Date.now() - began < 300_000) {
      if (await look()) return (Date.now() - began) / 1000;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`not within 300 s: ${what}`);
  };
  const peerOf = (host: string) => (host === "h2" ? "h1" : "h2");
  const serves = async (host: string) =>
    (await reaches(host, peerOf(host))) && (await reaches(peerOf(host), host));
  const kill = async (host: string): Promise<void> => {
    const pid = (await summary(host))?.pid;
    if (pid === undefined) throw new Error(`${host}: no forwarder`);
    await fleet.on(host, `kill -KILL ${pid}`);
    const isBack = async () => ![undefined, pid].includes((await summary(host))?.pid);
    await until(`${host}: another forwarder`, isBack);
  };

  beforeAll(async () => {
    const files = smallLab(folder, { hosts: HOSTS, voters: ["h1", "h2"] });
    fleet = await LabFleet.up({ name: "the embedded engine", pulumi: undefined }, files);
    fleet.edit(["hosts", "c1", "p2p_public_host"], "10.77.0.21");
    fleet.edit(["hosts", "c1", "p2p_public_port"], 8779);
    for (const host of ["h1", "h2"])
      fleet.edit(["hosts", host, "p2p_public_host"], fleet.get(["hosts", host, "ssh_host"]));
    await fleet.setSecret("p2p:fleetSecret", "planted-fleet-secret");
    fleet.configure("p2p:paths", { enabled: true });
    await fleet.mustUp();
    const { p2pDiscovery } = (await fleet.outputs()) as {
      p2pDiscovery: { nodes: Record<string, { loopback: string }> };
    };
    addresses = Object.fromEntries(
      Object.entries(p2pDiscovery.nodes).map(([name, { loopback }]) => [name, loopback]),
    );
    for (const host of HOSTS) await until(`${host} serves`, () => serves(host));
    before = await fleet.startTimes(HOSTS);
  });
  afterEach(async () => {
    expect(await fleet.startTimes(HOSTS)).toEqual(before);
  });
  afterAll(async () => {
    process.stdout.write(`forwarder faults: seconds ${JSON.stringify(measured)}\n`);
    await fleet?.lab.down();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(HOSTS)("that is killed comes back, and the daemon goes on: %s", async (host) => {
    const began = Date.now();
    await kill(host);
    await until(`${host} serves again`, () => serves(host));
    measured[`killed on ${host}`] = (Date.now() - began) / 1000;
  });

  it.each(["h1", "c1"])(
    "keeps its last good settings when it is given nonsense, also over kill -9: %s",
    async (host) => {
      await fleet.on(host, `sh -c 'echo "{\\"node\\": 7" > ${SETTINGS}'`);
      const refuses = async () =>
        (await summary(host))?.mistake?.includes("the settings:") === true;
      measured[`nonsense noticed on ${host}`] = await until("it says so", refuses);
      await until(`${host} serves all the same`, () => serves(host));
      await kill(host);
      await until(`${host} serves`, () => serves(host));
      await until("it still says so", refuses);
      // The program sees the drift and puts it right.
      await fleet.mustUp();
      await until("it is content", async () => (await summary(host))?.mistake === null);
      await until(`${host} serves`, () => serves(host));
    },
  );

  it("serves without room to write, and writes once there is some", async () => {
    await fleet.on("h1", `mount -t tmpfs -o size=256k tmpfs ${STATE}`);
    await fleet.on("h1", `sh -c 'head -c 262144 /dev/zero > ${STATE}/full'`);
    try {
      await kill("h1");
      await until("it serves", () => serves("h1"));
      await until(
        "it says so",
        async () => typeof (await summary("h1"))?.eventsProblem === "string",
      );
      await fleet.on("h1", `rm ${STATE}/full`);
      const wrote = async () => (await fleet.on("h1", `ls ${STATE}`)).includes("last-own.json");
      await kill("h1");
      await until("it serves", () => serves("h1"));
      await until("it writes", wrote);
    } finally {
      await fleet.on("h1", `umount -l ${STATE}`);
    }
    await kill("h1");
    await until("it serves", () => serves("h1"));
  });

  it("leaves with all others when paths are turned off, and the daemons hear each other again", async () => {
    fleet.configure("p2p:paths", { enabled: false });
    const said = "p2p:paths is off now: all daemons that had a forwarder restart at once";
    expect((await fleet.pulumi("preview")).stdout).toContain(said);
    expect(await fleet.mustUp()).toContain(said);
    const after = await fleet.startTimes(HOSTS);
    expect(HOSTS.filter((host) => after[host] === before[host])).toEqual([]);
    before = after;
    expect(await Promise.all(HOSTS.map(summary))).toEqual(HOSTS.map(() => undefined));
    const hears = async (host: string, peer: string): Promise<boolean> => {
      const argv = ["curl", "-s", "-m", "60", "http://127.0.0.1:8770/status?no_cache=true"];
      const { stdout: text } = await fleet.lab.inside(host, argv);
      const { all_peers: peers } = JSON.parse(text || "{}") as {
        all_peers?: Record<string, { host: string; is_alive: boolean }>;
      };
      const seen = peers?.[peer];
      return seen?.is_alive === true && seen.host === fleet.get(["hosts", peer, "ssh_host"]);
    };
    await until("h1 hears h2", () => hears("h1", "h2"));
    await until("h2 hears h1", () => hears("h2", "h1"));
    const { code } = await fleet.pulumi("preview", "--expect-no-changes");
    expect(code).toBe(0);
  });
});
