import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { notesOf } from "../../components/warnings";
import { Lab } from "../../lab/fleet/lab";
import { machineFacts, whyNoLab } from "../../lab/fleet/machineCheck";
import { until } from "../../lab/fleet/until";
import { comparePrepare } from "../../payload/compare";
import { renderAbsent } from "../../payload/render";
import { type FirewallSpec } from "../../payload/spec";
import { AgentOnLab } from "./agentOnLab";
import { inside, listen, openPorts, wishFor } from "./firewallLab";

// What this cannot prove: other kernels, and firewalls that a provider has outside of the host. The tailnet and the
// tunnel have no part in these scans.

const why = whyNoLab(machineFacts());
const onLab = why === null ? describe : describe.skip;
const title = why === null ? "the firewall" : `the firewall (skipped here: ${why})`;

// A cold cache is filled first: packages, base root, wheels.
jest.setTimeout(900_000);

const file = (name: string): string => join(__dirname, name);
const PORTS = ["8770/tcp", "8772/tcp", "7947/tcp", "8771/udp", "22/tcp", "9001/tcp"];
const GUARDED = PORTS.slice(0, 4);
const SPEC: FirewallSpec = {
  ports: [4321, 7947, 8766, 8770, 8771, 8772],
  interfaces: ["lo", "tailscale0"],
  ipv4: ["10.77.1.3", "10.77.60.0/24"],
  ipv6: ["fd77:0:0:1::3", "fd77:0:0:60::/64"],
};
/** Who dials: an address of the lab's network, by what it stands for. */
const SOURCES = {
  outside: ["10.77.50.9", "fd77:0:0:50::9"],
  named: ["10.77.60.5", "fd77:0:0:60::5"],
  "next to it": ["10.77.61.5", "fd77:0:0:61::5"],
} as const;
const FLEET_HOST = ["10.77.1.3", "fd77:0:0:1::3"] as const;
const TARGETS = { s1: ["10.77.1.1", "fd77:0:0:1::1"], n1: ["10.77.1.2", "fd77:0:0:1::2"] } as const;

onLab(title, () => {
  let lab: Lab;

  /** Everything that does not come from us: the kernel's rules of both kinds, without counters. */
  const foreignRules = async (host: string): Promise<string> => {
    const tables = `for t in $(nft list tables | grep -v -e ringrift_p2p -e ' filter$' | tr ' ' ,); do nft -s list $(echo $t | tr , ' '); done`;
    const legacy = `for tool in iptables ip6tables; do $tool -S | grep -v RINGRIFT_P2P; done`;
    const nft = await lab.inside(host, [
      "sh",
      "-c",
      `PATH=/opt/hidden:$PATH; ${tables}; ${legacy}`,
    ]);
    return nft.stdout;
  };

  const on = (host: string, script: string) => inside(lab, host, script);

  /** Addresses of the second family and the listeners: a restart ends both. */
  const settle = async (host: string): Promise<void> => {
    const number = { s1: 1, n1: 2, b1: 3 }[host];
    await on(host, `ip -6 address replace fd77:0:0:1::${number}/32 dev host0 nodad`);
    const others = PORTS.filter((port) => port !== "22/tcp");
    await listen(lab, host, others);
  };

  /** Open ports of a host, by who dials and the family. */
  const scan = async (host: "s1" | "n1"): Promise<Record<string, string[]>> => {
    const everybody = { ...SOURCES, fleet: FLEET_HOST, loopback: ["127.0.0.1", "::1"] } as const;
    const from: Record<string, string> = { fleet: "b1", loopback: host };
    const scans = Object.entries(everybody).flatMap(([who, sources]) =>
      sources.map(async (source, family) => {
        const target = who === "loopback" ? source : (TARGETS[host][family] ?? "");
        const open = await openPorts(lab, from[who] ?? null, target, source, PORTS);
        return [`${who}, IPv${family === 0 ? 4 : 6}`, open] as const;
      }),
    );
    return Object.fromEntries(await Promise.all(scans));
  };
  const closedFor = (...closed: string[]): Record<string, string[]> => {
    const all = [...Object.keys(SOURCES), "fleet", "loopback"];
    return Object.fromEntries(
      all.flatMap((who) =>
        [4, 6].map((family) => [
          `${who}, IPv${family}`,
          PORTS.filter((port) => !closed.includes(who) || !GUARDED.includes(port)),
        ]),
      ),
    );
  };

  beforeAll(async () => {
    const files = {
      inventory: file("fixtures/firewall.yaml"),
      machines: file("fixtures/firewallMachines.yaml"),
    };
    lab = await Lab.up({ ...files, id: `f${randomBytes(3).toString("hex")}` });
    for (const [four, six] of Object.values(SOURCES)) {
      await lab.exec(["ip", "address", "add", `${four}/16`, "dev", "br0"]);
      await lab.exec(["ip", "-6", "address", "add", `${six}/32`, "dev", "br0", "nodad"]);
    }
    for (const host of ["s1", "n1", "b1"]) {
      await settle(host);
    }
    // One of them knows iptables alone.
    await on("n1", "mkdir -p /opt/hidden && mv /usr/sbin/nft /opt/hidden/");
  });
  afterAll(() => lab?.down());

  describe.each([
    ["s1", "systemd", "nft"],
    ["n1", "own", "iptables"],
  ] as const)("on %s (%s, %s)", (host, supervisor, backend) => {
    let agent: AgentOnLab;
    let foreign: string;
    const wish = (firewall: FirewallSpec | null) => wishFor(host, supervisor, firewall).prepare;
    const closed = wish(SPEC);
    const look = () => agent.facts(wishFor(host, supervisor, SPEC).request);
    const driftOf = async (firewall: FirewallSpec | null = SPEC) => {
      const { prepare, request } = wishFor(host, supervisor, firewall);
      return comparePrepare(prepare, await agent.facts(request));
    };
    const disarm = () => agent.run("disarm", { node: host, names: ["*"] });
    /** Our supervisord is the daemon's; without a daemon it is started by hand. */
    const superviseOwn = async () => {
      if (supervisor === "own")
        await on(host, "/opt/ringrift-p2p/supervisor/start >/dev/null 2>&1 </dev/null &");
    };

    beforeAll(async () => {
      agent = new AgentOnLab(lab, host);
      await on(
        host,
        `PATH=/opt/hidden:$PATH
nft add table inet theirs
nft add chain inet theirs input '{ type filter hook input priority 10; policy accept; }'
nft add rule inet theirs input tcp dport 9999 drop
iptables -N THEIRS; iptables -A THEIRS -s 192.0.2.0/24 -j DROP; iptables -A INPUT -j THEIRS
ip6tables -A INPUT -s 2001:db8::/32 -j DROP`,
      );
      foreign = await foreignRules(host);
      expect(foreign).toContain("9999");
      expect(foreign).toContain("THEIRS");
      await agent.stage();
    });

    it("is open to all without it", async () => {
      expect(await scan(host)).toEqual(closedFor());
    });

    it("lets in the fleet, the loopback and the named range, and nobody else", async () => {
      const verdict = await agent.run("prepare", closed);
      expect(verdict).toMatchObject({ ok: true, armed: ["firewall"] });
      expect(await disarm()).toMatchObject({ ok: true });
      await superviseOwn();
      expect(await scan(host)).toEqual(closedFor("outside", "next to it"));
      expect((await look()).firewall).toMatchObject({
        able: true,
        backend,
        state: "intact",
        boot: true,
      });
      expect(await driftOf()).toEqual([]);
      expect(await foreignRules(host)).toBe(foreign);
    });

    it("changes nothing the second time", async () => {
      const { steps, armed } = await agent.run("prepare", closed);
      expect(steps.filter(({ status }) => status !== "ok")).toEqual([]);
      expect(armed).toBeUndefined();
    });

    it("comes back with a reboot, as it was confirmed last", async () => {
      const before = foreign;
      // A run is cut off before it confirms, the next one too, and the host restarts in the time of the timer.
      for (const ipv4 of [["10.77.0.0/16"], ["10.77.61.0/24"]])
        expect(await agent.run("prepare", wish({ ...SPEC, ipv4 }))).toMatchObject({
          ok: true,
          armed: ["firewall"],
        });
      expect((await look()).firewall).toMatchObject({ boot: false });
      await lab.restart(host);
      await settle(host);
      const back = await until(
        async () => (await look()).firewall?.state === "intact",
        300_000,
        500,
      );
      expect(back).not.toBeNull();
      expect(await scan(host)).toEqual(closedFor("outside", "next to it"));
      expect(await driftOf()).toEqual([]);
      expect(await disarm()).toMatchObject({
        error: "firewall: firewall: the timer is gone and did not fire: the host was started anew",
      });
      // Debian's configuration begins with `flush ruleset`.
      for (const verb of host === "s1" ? ["restart", "reload"] : []) {
        await on(host, `systemctl ${verb} nftables`);
        const state = async () => (await look()).firewall?.state === "intact";
        expect([verb, await until(state, 300_000, 300)]).not.toContain(null);
      }
      // Theirs were not kept over it, and are none of our business.
      foreign = await foreignRules(host);
      expect(foreign).not.toBe(before);
    });

    it("shows a rule of ours that was removed by hand, and heals it", async () => {
      const foreignNow = await foreignRules(host);
      await on(
        host,
        backend === "nft"
          ? "nft flush chain inet ringrift_p2p ports"
          : "iptables -D RINGRIFT_P2P_PORTS -j DROP",
      );
      const [drift] = await driftOf();
      expect(drift).toMatchObject({ what: "firewall", is: "edited" });
      expect(drift?.detail).toMatch(/^\+.*(drop|DROP)$/m);
      expect(await agent.run("prepare", closed)).toMatchObject({ ok: true, armed: ["firewall"] });
      await disarm();
      expect(await driftOf()).toEqual([]);
      await on(
        host,
        backend === "nft"
          ? "nft delete table inet ringrift_p2p"
          : "iptables -D INPUT -j RINGRIFT_P2P",
      );
      expect((await driftOf()).map(({ what }) => what)).toEqual(["firewall"]);
      await agent.run("prepare", closed);
      await disarm();
      expect(await driftOf()).toEqual([]);
      expect(await foreignRules(host)).toBe(foreignNow);
    });

    it("goes without a trace when it is turned off, and when the host leaves", async () => {
      const foreignNow = await foreignRules(host);
      const open = wish(null);
      expect((await driftOf(null)).map(({ want, is }) => [want, is])).toEqual([
        ["no rule of ours", "rules intact"],
      ]);
      // Not even a timer that was armed just before, and would bring rules back.
      await agent.run("prepare", wish({ ...SPEC, ipv4: [] }));
      expect(await agent.run("prepare", open)).toMatchObject({ ok: true });
      expect(await driftOf(null)).toEqual([]);
      const places = "/opt/ringrift-p2p /etc/systemd/system /run/systemd/transient";
      expect(
        await on(host, `find ${places} -path '*firewall*' ! -path '*/agent/*' 2>/dev/null || :`),
      ).toBe("");
      expect(await scan(host)).toEqual(closedFor());
      await agent.run("prepare", closed);
      await disarm();
      expect(await agent.run("activate", renderAbsent(host))).toMatchObject({ outcome: "absent" });
      expect(await foreignRules(host)).toBe(foreignNow);
      expect((await look()).traces).toEqual([]);
    });
  });

  it("that locks the controller out is undone by the host itself, on a machine and in a container", async () => {
    const lockOut = async (host: "s1" | "n1", supervisor: "systemd" | "own"): Promise<void> => {
      const agent = new AgentOnLab(lab, host);
      const { prepare } = wishFor(host, supervisor, { ...SPEC, ports: [22, ...SPEC.ports] });
      await agent.stage();
      // By the kernel alone: a login that takes long on a busy machine is none that is refused.
      const [target, own] = [TARGETS[host][0], "10.77.0.1"];
      const isOpen = async () =>
        (await openPorts(lab, null, target, own, ["22/tcp"])).includes("22/tcp");
      const login = async () => (await lab.ssh(host, "true", { timeout: 60_000 })).code === 0;
      // The session is cut off in the middle, so nobody hears the verdict.
      const lost = agent.run("prepare", prepare).catch(() => null);
      expect(await until(async () => !(await isOpen()), 300_000, 500)).not.toBeNull();
      // Two minutes by the host's own timer; the rest is for a busy machine.
      expect(await until(isOpen, 300_000, 1000)).not.toBeNull();
      expect(await until(login, 300_000, 1000)).not.toBeNull();
      const late = await agent.run("disarm", { node: host, names: ["*"] });
      expect(late).toMatchObject({
        ok: false,
        error: "firewall: firewall had already been undone",
      });
      await lost;
    };
    await Promise.all([lockOut("s1", "systemd"), lockOut("n1", "own")]);
  });

  it("is not asked of a container that may not have one, and that is said", async () => {
    const agent = new AgentOnLab(lab, "b1");
    const { prepare, activate, request } = wishFor("b1", "own", SPEC);
    const spec = { ...prepare, python: { ...prepare.python, required: {} } };
    await agent.stage();
    const verdict = await agent.run("prepare", spec);
    expect(verdict).toMatchObject({ ok: true, notes: [] });
    const facts = await agent.facts(request);
    expect(comparePrepare(spec, facts)).toEqual([]);
    expect(notesOf({ prepare: spec, activate }, facts)).toContainEqual(
      expect.stringMatching(/^no firewall of ours: this container may not have one/),
    );
  });
});
