import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { cachePaths } from "../../lab/fleet/cache";
import { machineFacts, whyNoLab } from "../../lab/fleet/machineCheck";
import { LAB_ADDRESS } from "../../lab/fleet/network";
import { projectRoot } from "../../lab/fleet/projectRoot";
import { until } from "../../lab/fleet/until";
import { rootFromOutside } from "../../lab/hosts/boot";
import { LabFleet } from "./labFleet";
import { smallLab } from "./smallLab";

const why = whyNoLab(machineFacts());
const onLab = why === null ? describe : describe.skip;
const title =
  why === null ? "a host with nothing on it" : `a host with nothing on it (skipped: ${why})`;

const PORT = 8099;
const HOSTS = ["h1", "c2"];

/**
 * Makes Debian packages of the host's own Python and takes it away, so that only the package manager can bring it back:
 * the lab's repository carries what the base root does not have.
 */
const TAKE_PYTHON_AWAY = `set -e
packages="libpython3.11-minimal python3.11-minimal libpython3.11-stdlib python3.11 python3-minimal libpython3-stdlib python3"
mkdir -p /srv/debs
for package in $packages; do
  copy=/srv/repack/$package
  mkdir -p $copy/DEBIAN
  dpkg-query -s $package | sed '/^Status:/d; /^Conffiles:/,/^[A-Z]/{/^Conffiles:/d; /^ /d}' > $copy/DEBIAN/control
  for script in preinst postinst prerm postrm; do
    for file in /var/lib/dpkg/info/$package.$script /var/lib/dpkg/info/$package:*.$script; do
      [ ! -e $file ] || cp $file $copy/DEBIAN/$script
    done
  done
  dpkg -L $package | while read -r file; do
    if [ -L "$file" ] || [ -f "$file" ]; then mkdir -p "$copy\${file%/*}"; cp -a "$file" "$copy$file"; fi
  done
  dpkg-deb --build $copy /srv/debs/$package.deb > /dev/null
done
cd /srv/debs
for file in *.deb; do
  dpkg-deb --field $file
  printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' $file $(stat -c %s $file) $(sha256sum $file | cut -d' ' -f1)
done > Packages
echo 'deb [trusted=yes] file:/srv/debs ./' >> /etc/apt/sources.list
apt-get -qq -y purge libpython3.11-minimal > /dev/null 2>&1
rm -rf /srv/repack
! command -v python3`;

onLab(title, () => {
  let fleet: LabFleet;
  let server: ChildProcess;
  const folder = mkdtempSync(join(tmpdir(), "e2e-source-"));
  const work = join(folder, "work");
  const git = (...args: string[]): string =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], {
      cwd: work,
      encoding: "utf8",
    }).trim();

  /** Commits what is in the working folder, and puts it where hosts can fetch it. */
  const publish = (message: string): string => {
    git("add", "-A");
    git("commit", "-q", "-m", message);
    git("push", "-q", join(folder, "served", "daemon.git"), "HEAD:refs/heads/main");
    execFileSync("git", ["update-server-info"], { cwd: join(folder, "served", "daemon.git") });
    return git("rev-parse", "HEAD");
  };

  const heads = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      await Promise.all(
        HOSTS.map(async (host) => [host, await fleet.on(host, "git -C ~/ringrift rev-parse HEAD")]),
      ),
    ) as Record<string, string>;
  const both = (commit: string) => Object.fromEntries(HOSTS.map((host) => [host, commit]));

  beforeAll(async () => {
    mkdirSync(work);
    cpSync(join(projectRoot(), "lab", "daemon"), join(work, "ai-service"), { recursive: true });
    execFileSync("git", ["init", "-q", "--bare", join(folder, "served", "daemon.git")]);
    git("init", "-q");
    const files = smallLab(folder, { hosts: HOSTS, voters: ["h1"] });
    writeFileSync(files.machines, stringify({ h1: { kind: "systemd" }, c2: { kind: "bare" } }));
    fleet = await LabFleet.up({ name: "the embedded engine", pulumi: undefined }, files);
    // Only files, as any web server gives them out.
    const serve = ["python3", "-m", "http.server", String(PORT), "--bind", LAB_ADDRESS];
    const [program = "", ...args] = fleet.lab.argv(serve);
    server = spawn(program, args, { cwd: join(folder, "served"), stdio: "ignore" });
    const serves = async () =>
      (await fleet.lab.exec(["curl", "-sf", `http://${LAB_ADDRESS}:${PORT}/`])).code === 0;
    expect(await until(serves, 120_000, 200)).toBe(true);
    for (const host of HOSTS) {
      cpSync(cachePaths().wheels, join(rootFromOutside(fleet.lab, host), "srv", "wheels"), {
        recursive: true,
      });
      // No index is named, none is reachable, and there is no pip.
      const bare = await fleet.lab.inside(host, ["sh"], {
        input: `rm -rf /root/ringrift /etc/pip.conf /usr/share/python-wheels/pip-*
ls /usr/lib/python3.11/EXTERNALLY-MANAGED; python3 -m pip --version`,
      });
      expect(bare.stdout + bare.stderr).toMatch(/EXTERNALLY-MANAGED\n.*No module named pip/);
    }
    const taken = await fleet.lab.inside("c2", ["sh"], { input: TAKE_PYTHON_AWAY });
    expect({ code: taken.code, stderr: taken.stderr }).toEqual({ code: 0, stderr: "" });
    // The only voter is restarted, which no run does by itself.
    fleet.environment = { P2P_ALLOW_QUORUM_LOSS: "true" };
    await fleet.pulumi("stack", "ls");
    fleet.configure("p2p:packageIndex", "/srv/wheels");
  });

  afterAll(async () => {
    server?.kill();
    await (fleet as LabFleet | undefined)?.lab.down();
    rmSync(folder, { recursive: true });
  });

  it("gets Python, git, the checkout and its packages from where the configuration says", async () => {
    const commit = publish("first");
    fleet.configure("p2p:source", {
      repository: `http://${LAB_ADDRESS}:${PORT}/daemon.git`,
      commit,
    });
    await fleet.mustUp();
    expect(await heads()).toEqual(both(commit));
    const version = `import psutil, sys; print(sys.version_info[:2], psutil.__file__)`;
    expect(await fleet.on("c2", `/opt/ringrift-p2p/venv/bin/python -c '${version}'`)).toMatch(
      /^\(3, 11\) \/opt\/ringrift-p2p\/venv\//,
    );
    expect((await fleet.pulumi("preview", "--expect-no-changes")).code).toBe(0);
  });

  it("moves to another commit, but never over local changes", async () => {
    writeFileSync(join(work, "ai-service", "NEWS"), "second\n");
    const [first] = Object.values(await heads());
    const commit = publish("second");
    await fleet.on("h1", "echo by hand >> ~/ringrift/ai-service/README.md");
    fleet.configure("p2p:source", {
      repository: `http://${LAB_ADDRESS}:${PORT}/daemon.git`,
      commit,
    });
    const preview = await fleet.pulumi("preview", "--diff");
    expect(preview.stdout).toContain("has local changes, which are kept");
    const { code, stdout } = await fleet.up();
    expect(code).not.toBe(0);
    expect(stdout).toMatch(/has local changes at [0-9a-f]{12}; commit or discard them first/);
    expect(await heads()).toEqual({ h1: first, c2: commit });
    expect(await fleet.on("h1", "tail -n 1 ~/ringrift/ai-service/README.md")).toBe("by hand");
    await fleet.on("h1", "git -C ~/ringrift checkout -q ai-service/README.md");
    await fleet.mustUp();
    expect(await heads()).toEqual(both(commit));
    expect(await fleet.on("h1", "cat ~/ringrift/ai-service/NEWS")).toBe("second");
  });

  it("only lists differing versions where no source is set", async () => {
    fleet.configure("p2p:source", undefined);
    await fleet.mustUp();
    const { h1: commit = "" } = await heads();
    await fleet.on("c2", "git -C ~/ringrift checkout -q HEAD~1");
    const preview = await fleet.pulumi("preview", "--expect-no-changes");
    expect(preview.code).toBe(0);
    expect(preview.stdout + preview.stderr).toContain(
      `checkout at ${commit.slice(0, 12)}, one of 2 versions`,
    );
  });
});
