import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machineFacts, whyNoLab } from "../../lab/fleet/machineCheck";
import { projectRoot } from "../../lab/fleet/projectRoot";
import { type RunResult } from "../../lab/fleet/run";
import { enginesHere, LabFleet } from "./labFleet";
import { processesOf } from "./runProcesses";
import { smallLab } from "./smallLab";
import { changeEveryHost } from "./trial";

const why = whyNoLab(machineFacts());
const onLab = why === null ? describe : describe.skip;
const title = why === null ? "what a run refuses" : `what a run refuses (skipped here: ${why})`;

const VOTERS = ["h1", "h2", "h3"];
const WORKERS = ["h4", "h5", "h6"];
const LIVE = [...VOTERS, ...WORKERS];
/** Joins for the last test only: nobody behind the address, a cable that is out, an sshd that says nothing. */
const DEAD = ["c1", "c2", "d1"];
const TOKEN = "planted-cluster-token-77ab10";

// One story, in which each run is the beginning of the next one: runs are what takes the time here.
onLab.each(enginesHere())(`${title}, on $name`, (engine) => {
  const folder = mkdtempSync(join(tmpdir(), "quorum-"));
  let fleet: LabFleet;
  /** Entries of hosts that are not in the file yet. */
  const aside = new Map<string, unknown>();
  let pinned: unknown;

  beforeAll(async () => {
    const files = smallLab(folder, { hosts: [...LIVE, ...DEAD], voters: VOTERS, dead: ["d1"] });
    fleet = await LabFleet.up(engine, files);
    await fleet.stopQuickly(LIVE);
    for (const host of DEAD) {
      aside.set(host, fleet.get(["hosts", host]));
      fleet.edit(["hosts", host], undefined);
    }
    const policy = ["p2p:policy.maxUnreachable", "50%"];
    expect(await fleet.pulumi("config", "set", "--path", ...policy)).toMatchObject({ code: 0 });
    await fleet.setSecret("p2p:clusterToken", TOKEN);
    pinned = fleet.get(["hosts", "h6", "ssh_host_key"]);
    fleet.edit(["hosts", "h6", "ssh_host_key"], undefined);
  });

  afterAll(async () => {
    await (fleet as LabFleet | undefined)?.lab.down();
    rmSync(folder, { recursive: true });
  });

  const settled = async (): Promise<number | null> =>
    (await fleet.pulumi("preview", "--expect-no-changes")).code;

  const statesOf = async (hosts: readonly string[]): Promise<(string | undefined)[]> => {
    const outputs = (await fleet.outputs()) as { hosts: Record<string, { state: string }> };
    return hosts.map((host) => outputs.hosts[host]?.state);
  };

  const healthy = (hosts: readonly string[]): string[] => hosts.map(() => "healthy");

  /** Who of some hosts was restarted since. */
  const restartedSince = async (before: Record<string, number | null>): Promise<string[]> => {
    const now = await fleet.startTimes(Object.keys(before));
    return Object.keys(before).filter((host) => now[host] !== before[host]);
  };

  it("gives a host without a pinned key no secret and no change", async () => {
    const printed = await fleet.mustUp();
    expect(printed).toMatch(/h6\s.*warning: untrusted: no ssh_host_key is pinned/);
    expect(await statesOf(["h6"])).toEqual(["untrusted"]);
    const found = await fleet.lab.inside("h6", [
      "sh",
      "-c",
      `ls -d /opt/ringrift-p2p /etc/ringrift /var/log/ringrift-p2p /etc/systemd/system/ringrift* 2>/dev/null
token() { printf %s%s planted-cluster -token-77ab10; }
token | grep -rlsF -f - /etc /opt /var /root /home /tmp /workspace /run; true`,
    ]);
    expect(found.stdout).toBe("");
  });

  it("stops only the host whose key has changed, and names it", async () => {
    fleet.edit(["hosts", "h6", "ssh_host_key"], pinned);
    await fleet.lab.inside("h6", [
      "sh",
      "-c",
      "rm /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; systemctl restart ssh",
    ]);
    const before = await fleet.startTimes(LIVE);
    changeEveryHost(fleet);
    const printed = await fleet.mustUp();
    expect(printed).toMatch(
      /h6\s.*warning: unreachable: the host key has changed: pinned ssh-ed25519 SHA256:/,
    );
    expect(await restartedSince(before)).toEqual(["h1", "h2", "h3", "h4", "h5"]);
    const argv = [process.execPath, "bin/fleet.js", "trust", "--replace", "h6", "--yes", "--file"];
    const trusted = await fleet.lab.exec([...argv, fleet.lab.inventory], { cwd: projectRoot() });
    expect(trusted).toMatchObject({ code: 0 });
  });

  it("refuses a second run while one is under way", async () => {
    const first = fleet.up();
    expect(await fleet.isLocked(300_000)).toBe(true);
    // However long the second one takes to start, the first one is still under way.
    const held = processesOf(fleet.lab.id, "engine");
    for (const pid of held) process.kill(pid, "SIGSTOP");
    let second: RunResult;
    try {
      second = await fleet.up();
    } finally {
      for (const pid of held) process.kill(pid, "SIGCONT");
    }
    expect(held).not.toEqual([]);
    expect({
      refused: second.code !== 0,
      said: /lock/.test(second.stdout + second.stderr),
    }).toEqual({
      refused: true,
      said: true,
    });
    expect((await first).code).toBe(0);
    expect(await statesOf(LIVE)).toEqual(healthy(LIVE));
    expect(await settled()).toBe(0);
  });

  it("holds voters whose restart would break the quorum, names the votes, and can be overruled", async () => {
    // A voter that says nothing is waited for no longer than this; 30 s by default, for each that is held.
    fleet.configure("p2p:voterReturnSeconds", 10);
    await fleet.lab.break("h3", "off");
    const before = await fleet.startTimes(["h1", "h2"]);
    changeEveryHost(fleet);
    const held = await fleet.up();
    expect(held.code).toBe(1);
    // A voter that was heard of less than a minute ago is not yet counted as down, but as not known.
    expect(held.stdout).toMatch(
      /held: restarting voter h1 would leave 1 of 2 votes that the quorum needs \(alive: h1, h2(; not known: h3)?\); P2P_ALLOW_QUORUM_LOSS=true overrides this for one run/,
    );
    expect(await restartedSince(before)).toEqual([]);
    fleet.configure("p2p:voterReturnSeconds", undefined);
    fleet.environment = { P2P_ALLOW_QUORUM_LOSS: "true" };
    const overruled = await fleet.mustUp();
    fleet.environment = {};
    expect(overruled).toMatch(
      /h1\s.*warning: allowed by p2p:allowQuorumLoss: restarting voter h1 would leave 1 of 2 votes/,
    );
    expect(await restartedSince(before)).toEqual(["h1", "h2"]);
    await fleet.lab.heal("h3");
  });

  it("starts a fleet that is entirely down without holding anybody", async () => {
    // Past the network: the lab's own list of host keys has the old one of h6.
    await Promise.all(
      LIVE.map((host) => fleet.lab.inside(host, ["systemctl", "stop", "ringrift-p2p-node"])),
    );
    const down = await fleet.startTimes(LIVE);
    expect(LIVE.filter((host) => down[host] !== null)).toEqual([]);
    const printed = await fleet.mustUp();
    expect(printed).not.toContain("held:");
    const times = await fleet.startTimes(LIVE);
    expect(LIVE.filter((host) => times[host] === null)).toEqual([]);
    expect(await settled()).toBe(0);
  });

  it("takes a bad release back on the canary, and holds everybody else", async () => {
    // The canary's next release starts from a checkout whose daemon dies at once; its old one is sound.
    const good = String(fleet.get(["hosts", "h4", "ringrift_path"])).replace("~", "/home/ubuntu");
    const bad = "/srv/bad/ai-service";
    await fleet.lab.inside("h4", [
      "sh",
      "-ec",
      `mkdir -p ${bad}; cp -r ${good}/. ${bad}/; echo 'raise RuntimeError("a bad release")' > ${bad}/scripts/p2p_orchestrator.py; chown -R ubuntu /srv/bad`,
    ]);
    const before = await fleet.startTimes(LIVE);
    fleet.edit(["hosts", "h4", "ringrift_path"], bad);
    changeEveryHost(fleet);
    const { code, stdout } = await fleet.up();
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /activate: .*RuntimeError: a bad release; went back to release [0-9a-f]{16}, which is healthy again/,
    );
    expect(stdout).toMatch(/held: canary h4 failed/);
    expect(await restartedSince(before)).toEqual(["h4"]);
    expect(await fleet.startedAt("h4")).not.toBeNull();
    fleet.edit(["hosts", "h4", "ringrift_path"], good);
  });

  it("takes little longer with three of nine hosts dead than without them", async () => {
    const timed = async (): Promise<{ all: number; looking: number }> => {
      const begun = Date.now();
      const printed = await fleet.mustUp();
      const looking = Number(/looked at \d+ hosts in ([\d.]+) s/.exec(printed)?.[1]);
      return { all: (Date.now() - begun) / 1000, looking };
    };
    type Times = Awaited<ReturnType<typeof timed>>;
    const told = ({ all, looking }: Times) => `${all.toFixed(1)} s (looking ${looking} s)`;
    await fleet.lab.break("c1", "cut");
    await fleet.lab.break("c2", "stalled-sshd");
    // 10 s is what is promised; the rest is for a machine whose load changes between two runs. One whose load
    // changes by more than that proves nothing, so both are measured again then.
    const isLittle = (alone: Times, among: Times): boolean =>
      among.all < 1.5 * alone.all + 10 && among.looking < 1.5 * alone.looking + 10;
    let little = false;
    for (let tries = 0; !little && tries < 4; tries += 1) {
      for (const host of DEAD) fleet.edit(["hosts", host], undefined);
      // The first time it does what the bad release held back: a restart of every host, too.
      if (tries > 0) changeEveryHost(fleet);
      const alone = await timed();
      expect(await statesOf(LIVE)).toEqual(healthy(LIVE));
      for (const [host, entry] of aside) fleet.edit(["hosts", host], entry);
      changeEveryHost(fleet);
      const among = await timed();
      process.stdout.write(`six hosts alone ${told(alone)}, with three dead ${told(among)}\n`);
      const { debt } = (await fleet.outputs()) as { debt: object };
      expect(Object.keys(debt).sort()).toEqual(DEAD);
      expect(await statesOf(LIVE)).toEqual(healthy(LIVE));
      little = isLittle(alone, among);
    }
    expect(little).toBe(true);
  });
});
