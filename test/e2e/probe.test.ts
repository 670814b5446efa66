import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDocument, stringify } from "yaml";
import { Lab } from "../../lab/fleet/lab";
import { machineFacts, whyNoLab } from "../../lab/fleet/machineCheck";

const why = whyNoLab(machineFacts());
const onLab = why === null ? describe : describe.skip;
const title = why === null ? "a probe" : `a probe (skipped here: ${why})`;

// A cold cache is filled first: packages, base root, wheels.
jest.setTimeout(900_000);

const root = join(__dirname, "..", "..");
const HOSTS = ["s1", "u1", "p1", "b1"];

/** Every file of a host with what a change would show in: type, size, mode, owner, mtime, ctime. */
const LIST = `sudo -n true 2>/dev/null && set -- sudo; "$@" find / \\( -path /proc -o -path /sys \\) -prune -o -printf "%p\\t%y %s %m %U:%G %T@ %C@\\n" 2>/dev/null`;

/** What a login without any command changes as well, and what the machine changes by itself all the time. */
const NOT_OURS = [
  // sshd and PAM: the greeting, the journal, who was logged in.
  /^\/run(\/motd\.dynamic(\.new)?)?$/,
  /^\/var\/log\/journal\//,
  /^\/var\/log\/(wtmp|lastlog)$/,
  /^\/run\/utmp$/,
  // sudo: who may go on without being asked.
  /^\/run\/sudo\/ts(\/|$)/,
  // networkd, every few seconds.
  /^\/run\/systemd\/netif(\/|$)/,
];

onLab(title, () => {
  let lab: Lab;
  const directory = mkdtempSync(join(tmpdir(), "e2e-probe-"));

  beforeAll(async () => {
    const fixture = (name: string) => join(root, "test", "lab", "hosts", "fixtures", name);
    const inventory = join(directory, "hosts.yaml");
    const text = readFileSync(fixture("four.yaml"), "utf8");
    writeFileSync(
      inventory,
      text.replaceAll("/ai-service }", "/ai-service, status: ready, p2p_enabled: true }"),
    );
    lab = await Lab.up({
      inventory,
      machines: fixture("fourMachines.yaml"),
      id: `p${randomBytes(3).toString("hex")}`,
    });
  });

  afterAll(async () => {
    await lab?.down();
    rmSync(directory, { recursive: true });
  });

  const files = async (host: string): Promise<Map<string, string>> => {
    const { code, stdout, stderr } = await lab.ssh(host, LIST, { timeout: 600_000 });
    // find itself meets files that go away meanwhile.
    if (code !== 0 && code !== 1) throw new Error(`${host}: ${code} ${stderr}`);
    return new Map(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split("\t") as [string, string]),
    );
  };

  const probe = async (): Promise<Record<string, string>> => {
    const argv = [process.execPath, "bin/fleet.js", "status", "--json", "--parallel", "2"];
    const { stdout } = await lab.exec([...argv, lab.directory.inventory()], { cwd: root });
    const { hosts } = JSON.parse(stdout) as { hosts: { host: string; state: string }[] };
    return Object.fromEntries(hosts.map(({ host, state }) => [host, state]));
  };

  it("gets through to twelve hosts behind one real sshd that takes three logins at a time", async () => {
    const names = Array.from({ length: 12 }, (_, index) => `g${index + 1}`);
    // One sshd behind as many ports, as a provider's gateway has: its bounds are for all of them together. It
    // listens on 16 sockets at most, hence one family.
    const ports = names.map((_, index) => 2201 + index);
    const listen = [22, ...ports].map((port) => `Port ${port}`).join("\\n");
    const set = `printf 'AddressFamily inet\\nMaxStartups 3:30:5\\nLogLevel VERBOSE\\n${listen}\\n' > /etc/ssh/sshd_config.d/polite.conf && systemctl restart ssh && sleep 1.1 && date +%s`;
    const since = (await lab.inside("s1", ["sh", "-c", set])).stdout.trim();
    const document = parseDocument(readFileSync(lab.directory.inventory(), "utf8"));
    const { s1 } = (document.toJS() as { hosts: Record<string, object> }).hosts;
    const hosts = Object.fromEntries(
      names.map((name, index) => [name, { ...s1, ssh_port: ports[index] }]),
    );
    const inventory = join(directory, "gateway.yaml");
    writeFileSync(inventory, stringify({ hosts }));
    const argv = [process.execPath, "bin/fleet.js", "status", "--json", inventory];
    const { stdout } = await lab.exec(argv, { cwd: root });
    const { hosts: found } = JSON.parse(stdout) as { hosts: { host: string; state: string }[] };
    expect(found.map(({ host, state }) => `${host} ${state}`).sort()).toEqual(
      names.map((name) => `${name} NOT STARTED`).sort(),
    );
    // The journal takes down what sshd has said before it answers that it is in step.
    const log = `journalctl --sync && journalctl -q -o cat --since @${since} -t sshd`;
    const lines = (await lab.inside("s1", ["sh", "-c", log])).stdout.split("\n");
    // One login each, and nothing that PerSourcePenalties would count: no drop, no failure, no bare poke.
    expect({
      accepted: lines.filter((line) => line.startsWith("Accepted publickey")).length,
      others: lines.filter((line) =>
        /MaxStartups|drop connection|Failed|Invalid|(closed|reset|isconnect).*preauth/.test(line),
      ),
    }).toEqual({ accepted: 12, others: [] });
    await lab.inside("s1", [
      "sh",
      "-c",
      "rm /etc/ssh/sshd_config.d/polite.conf; systemctl restart ssh",
    ]);
  });

  it("changes no file on a host of any kind", async () => {
    const before = await Promise.all(HOSTS.map(files));
    // Looked at, not merely dialled: the state comes from the facts.
    expect(await probe()).toEqual({
      s1: "NOT STARTED",
      u1: "NOT STARTED",
      p1: "NOT STARTED",
      b1: "NOT STARTED",
      d1: "UNREACHABLE",
    });
    const after = await Promise.all(HOSTS.map(files));
    const changed = HOSTS.flatMap((host, index) => {
      const [old, now] = [before[index], after[index]];
      if (!old || !now) throw new Error(`no list of ${host}`);
      expect(old.size).toBeGreaterThan(1_000);
      return [...new Set([...old.keys(), ...now.keys()])]
        .filter((path) => old.get(path) !== now.get(path))
        .filter((path) => !NOT_OURS.some((pattern) => pattern.test(path)))
        .map((path) => `${host} ${path}`);
    });
    expect(changed).toEqual([]);
  });
});
