import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RemoteScript } from "../../payload/remoteText";
import { canRun } from "./tools";

const ROOT = join(__dirname, "..", "..");
const WHEELS = join(ROOT, ".cache", "test-wheels");

/**
 * A throwaway host: this machine's files under an overlay, with processes and loopback of its own, without
 * systemd and without a network. Like a rented container: nothing supervises, /root/onstart.sh starts.
 */
export class Box {
  private constructor(
    private readonly outer: ChildProcess,
    private readonly pid: number,
    private readonly dir: string,
  ) {}

  /** Why no box can be made here; null when one can. */
  static obstacle(): string | null {
    if (process.getuid?.() !== 0) return "needs root";
    if (!canRun("unshare", ["-m", "-p", "-f", "-n", "true"])) return "needs namespaces";
    return fetchWheels() ? null : "needs pip and a package index, once";
  }

  static async create(): Promise<Box> {
    const dir = mkdtempSync(join(tmpdir(), "p2p-box-"));
    const script = `
set -e
mount -t tmpfs none "$0"; mkdir "$0/up" "$0/work" "$0/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$0/up,workdir=$0/work" "$0/root"
cd "$0/root"
mount -t proc proc proc; mount -t tmpfs none tmp; mount -t tmpfs none run; mount --rbind /dev dev
ip link set lo up
mkdir tmp/wheels; cp "$1"/*.whl tmp/wheels
mkdir -p srv/ringrift; cp -r "$2" srv/ringrift/ai-service
# Like a bare Debian: no pip anywhere, and nothing of ours.
rm -rf usr/lib/python3/dist-packages/pip* usr/lib/python3.*/ensurepip usr/share/python-wheels
rm -rf etc/ringrift opt/ringrift-p2p; rm -f root/onstart.sh
printf '#!/bin/bash\\nsleep 1\\n' > root/onstart.sh; chmod 755 root/onstart.sh
echo ready
exec chroot . sleep infinity`;
    const args = ["-m", "-p", "-f", "-n", "--propagation", "private", "--kill-child", "bash", "-c"];
    const daemon = join(__dirname, "fixtures", "daemon");
    const outer = spawn("unshare", [...args, script, dir, WHEELS, daemon], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let complaints = "";
    outer.stderr?.on("data", (chunk) => (complaints += String(chunk)));
    await new Promise<void>((resolve, reject) => {
      outer.stdout?.once("data", () => resolve());
      outer.once("exit", (code) => reject(new Error(`the box ended with ${code}: ${complaints}`)));
    });
    const children = readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, "utf8");
    return new Box(outer, Number(children.trim()), dir);
  }

  /** What sh prints in the box, both streams; throws when it fails. */
  sh(script: string, input = ""): string {
    return this.exec({ command: script, stdin: input });
  }

  /** Runs a remote text as a login shell would, with that stdin. */
  exec({ command, stdin }: RemoteScript): string {
    const environment = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
    const namespaces = ["-t", String(this.pid), "-m", "-p", "-n", "-r", "-w"];
    const done = spawnSync("nsenter", [...namespaces, "sh", "-c", command], {
      input: stdin,
      env: environment,
      encoding: "utf8",
    });
    if (done.status !== 0) throw new Error(`exit ${done.status}: ${done.stdout}${done.stderr}`);
    return done.stdout + done.stderr;
  }

  /** Paths outside of /tmp, /run and /dev that are not as they were when the box was made, sorted. */
  changed(): string[] {
    // The upper layer lies in the box's own mount namespace.
    const list = spawnSync(
      "nsenter",
      ["-t", String(this.outer.pid), "-m", "find", join(this.dir, "up"), "-type", "f"],
      { encoding: "utf8" },
    );
    return list.stdout
      .split("\n")
      .filter((path) => path !== "")
      .map((path) => path.slice(join(this.dir, "up").length))
      .sort();
  }

  async destroy(): Promise<void> {
    const ended = new Promise((resolve) => this.outer.once("exit", resolve));
    process.kill(this.pid, "SIGKILL");
    await ended;
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** supervisor and pip are the real ones; the daemon's packages are empty modules. */
function fetchWheels(): boolean {
  const names = existsSync(WHEELS) ? readdirSync(WHEELS) : [];
  if (names.some((name) => name.startsWith("supervisor-")) && names.length >= 7) return true;
  mkdirSync(WHEELS, { recursive: true });
  const download = ["-m", "pip", "download", "-q", "--no-deps", "-d", WHEELS, "supervisor", "pip"];
  if (!canRun("python3", download)) return false;
  const stand = ["psutil=psutil", "PyYAML=yaml", "aiohttp=aiohttp", "pydantic=pydantic"];
  const script = join(__dirname, "fixtures", "makeWheels.py");
  execFileSync("python3", [script, WHEELS, ...stand, "aiohttp_socks=aiohttp_socks"]);
  return true;
}
