import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { notesOf } from "../../components/warnings";
import { Lab } from "../../lab/fleet/lab";
import { machineFacts, whyNoLab } from "../../lab/fleet/machineCheck";
import { comparePrepare } from "../../payload/compare";
import { renderAbsent } from "../../payload/render";
import { type FirewallSpec } from "../../payload/spec";
import { AgentOnLab } from "./agentOnLab";
import { inside, listen, openPorts, wishFor } from "./firewallLab";

// Debian's own ufw and firewalld, with rules of an owner's, beside ours. Other versions are not proven here.

const why = whyNoLab(machineFacts());
const onLab = why === null ? describe : describe.skip;
const title = why === null ? "beside ours" : `beside ours (skipped here: ${why})`;

// A cold cache is filled first: packages, base root.
jest.setTimeout(900_000);

const SPEC: FirewallSpec = {
  ports: [4321, 7947, 8766, 8770, 8771, 8772],
  interfaces: ["lo", "tailscale0"],
  ipv4: ["10.77.60.0/24", "10.77.61.0/24"],
  ipv6: [],
};
/** `both` and `ours` are let in by us, `both` and `theirs` by the other firewall. */
const SOURCES = { both: "10.77.60.5", ours: "10.77.61.5", theirs: "10.77.62.5" } as const;

interface Other {
  readonly host: string;
  readonly number: number;
  readonly name: string;
  /** Turns it on with rules of somebody's. */
  readonly setUp: string;
  /** Loads its rules anew, in all the ways that it has. */
  readonly again: string;
  /** What it says of itself, and its files. */
  readonly told: string;
}

const OTHERS: readonly Other[] = [
  {
    ...{ host: "u1", number: 1, name: "ufw" },
    setUp: `ufw allow 22/tcp
ufw allow from 10.77.60.0/24 to any port 8770 proto tcp
ufw allow from 10.77.62.0/24 to any port 8770 proto tcp
ufw deny from 192.0.2.0/24
ufw --force enable`,
    again: "ufw reload; ufw disable; ufw --force enable; systemctl restart ufw",
    told: "ufw status verbose; find /etc/ufw /etc/default/ufw -type f | sort | xargs sha256sum",
  },
  {
    ...{ host: "w1", number: 2, name: "firewalld" },
    setUp: `systemctl start firewalld
firewall-cmd -q --permanent --add-service=ssh
for range in 10.77.60.0/24 10.77.62.0/24; do
  firewall-cmd -q --permanent --add-rich-rule="rule family=ipv4 source address=$range port port=8770 protocol=tcp accept"
done
firewall-cmd -q --permanent --add-rich-rule="rule family=ipv4 source address=192.0.2.0/24 drop"
firewall-cmd -q --reload`,
    again:
      "firewall-cmd -q --reload; systemctl restart firewalld; firewall-cmd -q --complete-reload",
    told: "firewall-cmd --state; firewall-cmd --list-all; find /etc/firewalld -type f | sort | xargs sha256sum",
  },
];

onLab(title, () => {
  const folder = mkdtempSync(join(tmpdir(), "other-firewalls-"));
  let lab: Lab;

  /** All that is not ours: its own word, its files, and the kernel's rules of both kinds. */
  const theirs = async ({ host, told }: Other): Promise<string> =>
    inside(
      lab,
      host,
      `${told}
nft -s list ruleset | awk '/^table inet ringrift_p2p /{ours=1} !ours{print} /^}/{ours=0}'
for tool in iptables-save ip6tables-save; do $tool | grep -v '^#' | sed 's/\\[[0-9]*:[0-9]*\\]/[]/'; done`,
    );

  const reaching = async ({ number }: Other): Promise<string[]> => {
    const target = `10.77.1.${number}`;
    const open = Object.entries(SOURCES).map(async ([who, source]) =>
      (await openPorts(lab, null, target, source, ["8770/tcp"])).map(() => who),
    );
    return (await Promise.all(open)).flat();
  };

  beforeAll(async () => {
    const files = {
      inventory: join(folder, "fleet.yaml"),
      machines: join(folder, "machines.yaml"),
    };
    const host = ({ number }: Other) => ({
      ...{ ssh_host: `10.77.1.${number}`, ssh_user: "root", ringrift_path: "~/r/ai-service" },
    });
    const hosts = Object.fromEntries(OTHERS.map((other) => [other.host, host(other)]));
    const machines = Object.fromEntries(OTHERS.map((other) => [other.host, { kind: "systemd" }]));
    writeFileSync(files.inventory, stringify({ p2p_voters: ["u1"], hosts }));
    writeFileSync(files.machines, stringify(machines));
    lab = await Lab.up({ ...files, id: `o${randomBytes(3).toString("hex")}` });
    for (const address of Object.values(SOURCES))
      await lab.exec(["ip", "address", "add", `${address}/16`, "dev", "br0"]);
  });
  afterAll(async () => {
    await (lab as Lab | undefined)?.down();
    rmSync(folder, { recursive: true });
  });

  it.each(OTHERS)("$name is seen, not fought, and keeps every byte", async (other) => {
    const { host, name, setUp, again } = other;
    const agent = new AgentOnLab(lab, host);
    await listen(lab, host, ["8770/tcp"]);
    await inside(
      lab,
      host,
      `export DEBIAN_FRONTEND=noninteractive
apt-get -qq update && apt-get -qq -y --no-install-recommends install ${name} >/dev/null
${setUp}`,
    );
    let before = await theirs(other);
    expect(before).toContain("10.77.62.0/24");
    expect(await reaching(other)).toEqual(["both", "theirs"]);

    const { prepare, activate, request } = wishFor(host, "systemd", SPEC);
    const heal = async () => {
      const verdict = await agent.run("prepare", prepare);
      await agent.run("disarm", { node: host, names: ["*"] });
      return verdict;
    };
    await agent.stage();
    expect(await heal()).toMatchObject({ ok: true });
    expect(notesOf({ prepare, activate }, await agent.facts(request))).toEqual([
      `${name} is active too: it has to let in whoever p2p:firewall lets in, for ours only takes away`,
    ]);
    expect(await theirs(other)).toBe(before);
    // Whoever is to be let in needs both.
    expect(await reaching(other)).toEqual(["both"]);
    expect((await agent.facts(request)).firewall).toMatchObject({
      ...{ able: true, backend: "nft", state: "intact", boot: true, managers: [name] },
    });

    await inside(lab, host, again);
    expect(comparePrepare(prepare, await agent.facts(request))).toEqual([]);
    // firewalld tells its rules in another order each time that it starts.
    const sorted = (text: string): string[] => text.split("\n").sort();
    const loadedAnew = await theirs(other);
    expect(sorted(loadedAnew)).toEqual(sorted(before));
    before = loadedAnew;
    expect(await reaching(other)).toEqual(["both"]);

    await inside(lab, host, "nft flush chain inet ringrift_p2p ports");
    expect((await theirs(other)).split("\n")).toEqual(before.split("\n"));
    expect(comparePrepare(prepare, await agent.facts(request))).toMatchObject([
      { what: "firewall", is: "edited" },
    ]);
    expect(await heal()).toMatchObject({ ok: true });
    expect(comparePrepare(prepare, await agent.facts(request))).toEqual([]);
    expect(await theirs(other)).toBe(before);

    expect(await agent.run("activate", renderAbsent(host))).toMatchObject({ outcome: "absent" });
    expect(await theirs(other)).toBe(before);
    expect(await reaching(other)).toEqual(["both", "theirs"]);
  });
});
