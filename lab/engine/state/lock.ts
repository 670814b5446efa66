import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { randomUUID } from "node:crypto";
import { EngineError, messageOf } from "../errors";

/** Who holds a stack, in the CLI's own lock file format, so that both respect each other. */
export interface LockOwner {
  pid: number;
  username: string;
  hostname: string;
  timestamp: string;
}

export interface FoundLock {
  file: string;
  owner: LockOwner;
}

/**
 * Takes the lock of a stack. That of a run that was killed on this machine is removed, in words: a killed run must
 * not keep the next one from converging.
 *
 * @param warn told of each removed lock
 * @throws EngineError that names the owner when somebody else has it.
 */
export function takeLock(
  folder: string,
  stack: string,
  warn: (text: string) => void = () => undefined,
): { release(): void } {
  for (const lock of findLocks(folder).filter(({ owner }) => isStale(owner))) {
    fs.rmSync(lock.file, { force: true });
    warn(`removed the lock of a killed run: ${describeLock(lock.owner, hereNow())}`);
  }
  refuseIfLocked(folder, stack, undefined);
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = path.join(folder, `${randomUUID()}.json`);
  const owner: LockOwner = {
    pid: process.pid,
    username: os.userInfo().username,
    hostname: os.hostname(),
    timestamp: new Date().toISOString(),
  };
  fs.writeFileSync(file, JSON.stringify(owner), { mode: 0o600 });
  try {
    // Somebody may have taken it between the first look and the write: then both give way.
    refuseIfLocked(folder, stack, file);
  } catch (error) {
    fs.rmSync(file, { force: true });
    throw error;
  }
  return { release: () => fs.rmSync(file, { force: true }) };
}

/** Every lock in the folder; one that cannot be read counts, with an unknown owner. */
export function findLocks(folder: string): FoundLock[] {
  if (!fs.existsSync(folder)) return [];
  const names = fs.readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names.flatMap((name) => {
    const file = path.join(folder, name);
    try {
      return [{ file, owner: JSON.parse(fs.readFileSync(file, "utf8")) as LockOwner }];
    } catch (error) {
      if (!fs.existsSync(file)) return [];
      return [{ file, owner: { ...UNKNOWN_OWNER, username: `unknown (${messageOf(error)})` } }];
    }
  });
}

const UNKNOWN_OWNER: LockOwner = {
  pid: 0,
  username: "unknown",
  hostname: "unknown",
  timestamp: "",
};

/** Removes every lock of a stack and returns what was there. */
export function cancelLocks(folder: string): FoundLock[] {
  const locks = findLocks(folder);
  for (const lock of locks) fs.rmSync(lock.file, { force: true });
  return locks;
}

function refuseIfLocked(folder: string, stack: string, own: string | undefined): void {
  const locks = findLocks(folder).filter((lock) => lock.file !== own);
  if (locks.length === 0) return;
  const lines = locks.map((lock) => `  ${lock.file}: ${describeLock(lock.owner, hereNow())}`);
  throw new EngineError(
    [
      `the stack ${stack} is locked by ${locks.length === 1 ? "another run" : `${locks.length} other runs`}:`,
      ...lines,
      "Wait for it to end, or release it with `pulumi cancel` if you are sure that it is gone.",
    ].join("\n"),
  );
}

function hereNow(): Here {
  return { hostname: os.hostname(), now: Date.now(), isAlive };
}

/** The owner ran on this machine and its process is gone. */
function isStale(owner: LockOwner): boolean {
  return owner.hostname === os.hostname() && owner.pid > 0 && !isAlive(owner.pid);
}

interface Here {
  hostname: string;
  now: number;
  isAlive(pid: number): boolean;
}

/** One line on an owner: who, since when, and whether the process can still be there. */
export function describeLock(owner: LockOwner, here: Here): string {
  const since = Date.parse(owner.timestamp);
  const age = Number.isNaN(since) ? "" : `, ${describeAge(here.now - since)} ago`;
  const text = `taken by ${owner.username}@${owner.hostname} (pid ${owner.pid})${age}`;
  if (owner.hostname !== here.hostname) return text;
  return here.isAlive(owner.pid)
    ? `${text}; that process is running`
    : `${text}; that process is gone, so the run was killed: the lock is stale`;
}

function describeAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
