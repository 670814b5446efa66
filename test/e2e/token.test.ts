import { join } from "node:path";
import { machineFacts, whyNoLab } from "../../lab/fleet/machineCheck";
import { until } from "../../lab/fleet/until";
import { LabFleet } from "./labFleet";

// The stand-in daemon refuses as the real one does; how long the real one takes to believe in its peers again after a
// restart is not proven here.

/** Four runs of the program: `npm run test:soak`. */
const isSoak = process.env["FAULT_KILLS"] !== undefined;
const why = whyNoLab(machineFacts()) ?? (isSoak ? null : "npm run test:soak runs it");
const onLab = why === null ? describe : describe.skip;
const title = why === null ? "the cluster token" : `the cluster token (skipped here: ${why})`;

// A cold cache is filled first: packages, base root, wheels.
jest.setTimeout(900_000);

const ADDRESSES = { s1: "10.77.1.1", s2: "10.77.1.2", s3: "10.77.1.3" };
const fixture = (name: string): string => join(__dirname, "fixtures", name);

onLab(title, () => {
  let fleet: LabFleet;

  const curl = async (...args: string[]): Promise<string> =>
    (await fleet.lab.exec(["curl", "-s", "-m", "3", ...args])).stdout;
  /** Status of a request that changes state, by host. */
  const posts = async (token?: string): Promise<string[]> =>
    Promise.all(
      Object.values(ADDRESSES).map((address) =>
        curl(
          ...["-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", "-d", "{}"],
          ...["-H", "Content-Type: application/json"],
          ...(token === undefined ? [] : ["-H", `Authorization: Bearer ${token}`]),
          `http://${address}:8770/heartbeat`,
        ),
      ),
    );
  const peers = async (): Promise<number[]> =>
    Promise.all(
      Object.values(ADDRESSES).map(async (address) => {
        try {
          const text = await curl(`http://${address}:8770/status`);
          return (JSON.parse(text) as { alive_peers: number }).alive_peers;
        } catch {
          return 0;
        }
      }),
    );
  const meet = async (): Promise<void> => {
    expect(
      await until(async () => (await peers()).every((count) => count >= 2), 60_000, 500),
    ).not.toBeNull();
  };
  const set = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await fleet.pulumi("config", "set", ...args);
    if (code !== 0) throw new Error(stderr);
  };
  /** Longest time in which some host had fewer than both peers, in milliseconds. */
  const watch = async (change: () => Promise<unknown>): Promise<number> => {
    let running = true;
    let longest = 0;
    let since: number | undefined;
    const watching = (async () => {
      while (running) {
        const whole = (await peers()).every((count) => count >= 2);
        const now = Date.now();
        since = whole ? undefined : (since ?? now);
        if (since !== undefined) longest = Math.max(longest, now - since);
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    })();
    await change();
    await meet();
    running = false;
    await watching;
    return longest;
  };

  beforeAll(async () => {
    fleet = await LabFleet.up(
      { name: "the embedded engine", pulumi: undefined },
      { inventory: fixture("three.yaml"), machines: fixture("threeMachines.yaml") },
    );
    await set("--secret", "p2p:clusterToken", "planted-first-token");
    await fleet.mustUp();
    await meet();
  });
  afterAll(() => fleet?.lab.down());

  it("lies on every host before anybody asks for it", async () => {
    expect(await posts()).not.toContain("401");
    const held = await Promise.all(
      Object.keys(ADDRESSES).map((host) =>
        fleet.lab.ssh(host, "cat /etc/ringrift/cluster-token-*"),
      ),
    );
    expect(held.map(({ stdout }) => stdout)).toEqual(Array(3).fill("planted-first-token"));
  });

  it("is required by all at once, and a second run changes nothing", async () => {
    await set("p2p:requireAuth", "true");
    const gap = await watch(() => fleet.mustUp());
    process.stdout.write(`switch: some host without a peer for ${gap} ms\n`);
    expect(await posts()).toEqual(["401", "401", "401"]);
    expect(await posts("planted-first-token")).not.toContain("401");
    expect(await fleet.mustUp()).toMatch(/unchanged/);
    const preview = await fleet.pulumi("preview", "--expect-no-changes");
    expect(preview.code).toBe(0);
  });

  it("is rotated by all at once; the old one is refused and gone", async () => {
    await set("--secret", "p2p:clusterToken", "planted-second-token");
    const gap = await watch(() => fleet.mustUp());
    process.stdout.write(`rotation: some host without a peer for ${gap} ms\n`);
    expect(await posts("planted-first-token")).toEqual(["401", "401", "401"]);
    expect(await posts("planted-second-token")).not.toContain("401");
    for (const host of Object.keys(ADDRESSES)) {
      const left = await fleet.lab.ssh(
        host,
        "grep -rl planted-first-token /etc /opt/ringrift-p2p || true",
      );
      expect(left.stdout).toBe("");
    }
  });

  it("is not rotated while a host is away: nobody switches, and the host is named", async () => {
    await fleet.lab.break("s3", "cut");
    await set("--secret", "p2p:clusterToken", "planted-third-token");
    const { stdout, stderr } = await fleet.up();
    expect(stdout + stderr).toContain(
      "p2p:requireAuth waits for hosts that do not have the token yet: s3",
    );
    expect((await posts("planted-second-token")).slice(0, 2)).not.toContain("401");
    await fleet.lab.heal("s3");
    await fleet.mustUp();
    await meet();
    expect(await posts("planted-second-token")).toEqual(["401", "401", "401"]);
    expect(await posts("planted-third-token")).not.toContain("401");
  });
});
