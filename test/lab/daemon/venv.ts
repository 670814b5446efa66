import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** What the daemon needs at import, and the two packages that it can do without. */
export const REQUIRED = ["psutil", "yaml", "aiohttp", "pydantic"] as const;
const PACKAGES = ["psutil", "PyYAML", "aiohttp", "pydantic", "sdnotify", "aiohttp-socks"];

const CACHE = process.env.FLEET_CACHE ?? path.join(os.homedir(), ".cache", "p2p-fleet");
const VENV = path.join(CACHE, "venv-daemon");
const MARKER = path.join(VENV, ".packages");
const LOCK = `${VENV}.lock`;

function say(text: string): void {
  process.stderr.write(`[daemon tests] ${text}\n`);
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function isComplete(): boolean {
  try {
    return fs.readFileSync(MARKER, "utf8") === PACKAGES.join("\n");
  } catch {
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The process that has the lock; 0 where nobody has it, or has not yet said so. */
function lockOwner(): number {
  try {
    return Number(fs.readFileSync(LOCK, "utf8"));
  } catch {
    return 0;
  }
}

/** Takes the lock away from a process that is gone; of several who see that, one. */
function freeStaleLock(owner: number): void {
  const aside = `${LOCK}.${process.pid}`;
  try {
    fs.renameSync(LOCK, aside);
    // Somebody else was faster, and this is already the next one's: it goes back.
    if (fs.readFileSync(aside, "utf8") !== String(owner)) fs.linkSync(aside, LOCK);
  } catch {
    // There is none any more.
  }
  fs.rmSync(aside, { force: true });
}

/** Jest's workers may all want the venv at once: one builds it, the others wait for that one. */
function withLock(build: () => void): void {
  for (;;) {
    try {
      fs.writeFileSync(LOCK, String(process.pid), { flag: "wx" });
      break;
    } catch {
      if (isComplete()) return;
      const owner = lockOwner();
      if (owner > 0 && !isRunning(owner)) freeStaleLock(owner);
      pause(200);
    }
  }
  try {
    if (!isComplete()) build();
  } finally {
    fs.rmSync(LOCK, { force: true });
  }
}

/** Returns the interpreter of a cached venv with all packages; builds it when it is missing. */
export function ensurePython(): string {
  const python = path.join(VENV, "bin", "python");
  if (isComplete()) return python;
  fs.mkdirSync(CACHE, { recursive: true });
  withLock(() => {
    say(`making ${VENV}`);
    fs.rmSync(VENV, { recursive: true, force: true });
    execFileSync("python3", ["-m", "venv", VENV], { stdio: ["ignore", 2, 2] });
    say(`installing ${PACKAGES.join(" ")}`);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PACKAGES];
    execFileSync(python, pip, { stdio: ["ignore", 2, 2] });
    fs.writeFileSync(MARKER, PACKAGES.join("\n"));
    say("done");
  });
  return python;
}

function sitePackages(venv: string): string {
  const lib = path.join(venv, "lib");
  const version = fs.readdirSync(lib).find((name) => name.startsWith("python"));
  if (version === undefined) throw new Error(`no python folder in ${lib}`);
  return path.join(lib, version, "site-packages");
}

/** Returns the interpreter of a venv in `dir` that has every package except one module. */
export function pythonWithout(module: string, dir: string): string {
  ensurePython();
  const venv = path.join(dir, `without-${module}`);
  execFileSync("python3", ["-m", "venv", "--without-pip", venv]);
  const from = sitePackages(VENV);
  const to = sitePackages(venv);
  for (const name of fs.readdirSync(from)) {
    if (name !== module) fs.symlinkSync(path.join(from, name), path.join(to, name));
  }
  return path.join(venv, "bin", "python");
}

/** Returns whether lsof is there; on Debian, as root, it is installed when it is not. */
export function ensureLsof(): boolean {
  const exists = (): boolean => {
    const folders = (process.env.PATH ?? "").split(":");
    return folders.some((folder) => fs.existsSync(path.join(folder, "lsof")));
  };
  if (exists()) return true;
  if (process.getuid?.() !== 0 || !fs.existsSync("/usr/bin/apt-get")) return false;
  say("installing lsof");
  try {
    execFileSync("apt-get", ["update", "-q"], { stdio: ["ignore", 2, 2] });
    execFileSync("apt-get", ["install", "-y", "-q", "lsof"], { stdio: ["ignore", 2, 2] });
  } catch {
    say("lsof could not be installed");
  }
  return exists();
}
