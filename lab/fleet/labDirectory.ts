import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Machine } from "../hosts/machine";
import { LabError } from "./labError";
import { identify, isRunning, parseIdentity, type ProcessIdentity } from "./processes";
import { projectRoot } from "./projectRoot";
import { type LabService } from "./services";

/** All labs of a machine; on a tmpfs, so that it is empty after the machine's own restart. */
const LABS = "/run/fleet-lab";
/** How the names of directories begin that are not yet a lab's. */
const ASIDE = ".new-";

/** What a lab writes down about itself when it is made. */
export interface LabRecord {
  readonly id: string;
  /** The project it was started from. */
  readonly project: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly machines: readonly Machine[];
  /** Directory of the base root that its hosts stand on. */
  readonly base: string;
  /** The layer of machines with `modules: true`. */
  readonly modules: string;
  /** The services that it was started with. */
  readonly with: readonly LabService[];
}

/** Where a lab keeps its files; the directory's existence is the claim on the ID. */
export class LabDirectory {
  readonly path: string;

  constructor(readonly id: string) {
    if (!/^[a-z][a-z0-9]{0,7}$/.test(id)) {
      throw new LabError("input", `lab "${id}": an ID is a letter and up to 7 letters or digits`);
    }
    this.path = join(LABS, id);
  }

  /** The inventory that the program reads: the given one with this lab's keys in it. */
  readonly inventory = (): string => this.file("distributed_hosts.yaml");
  readonly operatorKey = (): string => this.file("id_ed25519");
  /** What hosts download from the lab's mirror, by the vendors' own paths. */
  readonly mirror = (): string => this.file("mirror");
  readonly knownHosts = (): string => this.file("known_hosts");
  readonly sshConfig = (): string => this.file("ssh_config");
  /** What the host printed while it started. */
  readonly console = (host: string): string => this.file(`console-${host}.log`);

  file(name: string): string {
    return join(this.path, name);
  }

  exists(): boolean {
    return existsSync(this.path);
  }

  /**
   * Made aside and renamed: a directory that does not say yet whose it is would be taken for that of a killed lab, by
   * whoever starts another one at that moment.
   * @throws LabError "state" when the lab exists.
   */
  claim(): void {
    const aside = makeAside();
    try {
      const self = identify(process.pid);
      writeFileSync(join(aside, "owner"), `${self?.pid} ${self?.start}\n`);
      chmodSync(aside, 0o755);
      // Not over another lab's, which is never empty.
      renameSync(aside, this.path);
    } catch {
      rmSync(aside, { recursive: true, force: true });
      throw new LabError("state", `lab "${this.id}" exists already`);
    }
  }

  /** Written aside and renamed: another process sees all of it or nothing. */
  writeRecord(record: LabRecord): void {
    writeFileSync(this.file("lab.json.new"), JSON.stringify(record, null, 2), { mode: 0o600 });
    renameSync(this.file("lab.json.new"), this.file("lab.json"));
  }

  readRecord(): LabRecord | null {
    const text = this.read("lab.json");
    return text === null ? null : (JSON.parse(text) as LabRecord);
  }

  /** The lab's first process, null while there is none or after it died. */
  init(): ProcessIdentity | null {
    return this.runningProcess("init");
  }

  /** Who takes the lab down when its first process ends, and cleans up behind it. */
  guards(): ProcessIdentity[] {
    const lines = (this.read("guards") ?? "").split("\n");
    return lines.flatMap((line) => parseIdentity(line) ?? []).filter(isRunning);
  }

  /** Whether nobody will ever take this lab down: all of its processes are dead, and nobody is still making it. */
  isOrphaned(): boolean {
    if (!this.exists() || this.init() !== null || this.guards().length > 0) return false;
    return this.readRecord() !== null || this.runningProcess("owner") === null;
  }

  private runningProcess(name: string): ProcessIdentity | null {
    const text = this.read(name);
    const identity = text === null ? null : parseIdentity(text);
    return identity && isRunning(identity) ? identity : null;
  }

  private read(name: string): string | null {
    try {
      return readFileSync(this.file(name), "utf8");
    } catch {
      return null;
    }
  }
}

/** A directory for a lab, under a name that no lab has. Whoever removes the last lab removes LABS with it. */
function makeAside(): string {
  for (;;) {
    mkdirSync(LABS, { recursive: true, mode: 0o755 });
    try {
      return mkdtempSync(join(LABS, ASIDE));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}

/** The labs that have a directory, running or not. */
export function listLabs(): LabDirectory[] {
  let names: string[] = [];
  try {
    names = readdirSync(LABS).sort();
  } catch {
    // There is none, or the last one is just going.
  }
  return names.filter((name) => !name.startsWith(ASIDE)).map((name) => new LabDirectory(name));
}

/** The ID of a project's lab unless one is given: two checkouts get two labs. */
export function defaultLabId(project = projectRoot()): string {
  return `l${createHash("sha256").update(project).digest("hex").slice(0, 4)}`;
}
