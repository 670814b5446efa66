import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { EngineError, ExitCode, Unsupported } from "../errors";

/** Where a stack lives: the backend's folder, the project and the stack's own name. */
export interface StackId {
  project: string;
  stack: string;
}

const ORGANIZATION = "organization";

/** The backend's folder of PULUMI_BACKEND_URL (`file://…`; default the user's home), as the CLI resolves it. */
export function backendFolder(environment: NodeJS.ProcessEnv): string {
  const url = environment["PULUMI_BACKEND_URL"] ?? "file://~";
  if (!url.startsWith("file://")) {
    throw new Unsupported(`the backend ${url.replace(/\/\/[^/]*@/, "//")} (only file://)`);
  }
  const folder = url.slice("file://".length).replace(/\?.*$/, "");
  return path.resolve(folder.replace(/^~(?=\/|$)/, os.homedir()));
}

/** Reads and writes the files of the CLI's own file backend (layout version 1: one folder per project). */
export class Store {
  constructor(readonly folder: string) {}

  static fromEnvironment(environment: NodeJS.ProcessEnv): Store {
    return new Store(backendFolder(environment));
  }

  get url(): string {
    return `file://${this.folder}`;
  }

  stackFile(id: StackId): string {
    return path.join(this.folder, ".pulumi", "stacks", id.project, `${id.stack}.json`);
  }

  lockFolder(id: StackId): string {
    return path.join(this.folder, ".pulumi", "locks", ORGANIZATION, id.project, id.stack);
  }

  exists(id: StackId): boolean {
    return fs.existsSync(this.stackFile(id));
  }

  list(project: string): string[] {
    const folder = path.join(this.folder, ".pulumi", "stacks", project);
    if (!fs.existsSync(folder)) return [];
    return fs
      .readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => name.slice(0, -".json".length))
      .sort();
  }

  /** The deployment as the file has it, unchecked; null for a stack that was never updated. */
  read(id: StackId): unknown {
    const file = this.stackFile(id);
    if (!fs.existsSync(file)) {
      if (fs.existsSync(`${file}.gz`) || fs.existsSync(`${file}.zst`)) {
        throw new Unsupported(`the compressed state ${file}.*`);
      }
      throw new EngineError(`no stack named '${id.stack}' found`, ExitCode.stackNotFound);
    }
    const checkpoint = parseJson(fs.readFileSync(file, "utf8"), file);
    checkVersion(checkpoint, file);
    const inner = checkpoint["checkpoint"] as { latest?: unknown } | undefined;
    return inner?.latest ?? null;
  }

  /** Writes the pieces of a deployment's JSON text beside the old file, readable by its owner only, and moves it over. */
  write(id: StackId, deployment: readonly Buffer[] | undefined): void {
    const file = this.stackFile(id);
    const name = JSON.stringify(`${ORGANIZATION}/${id.project}/${id.stack}`);
    this.writeMeta();
    const start = `{"version":3,"checkpoint":{"stack":${name}${deployment ? ',"latest":' : ""}`;
    writeAtomically(file, [Buffer.from(start), ...(deployment ?? []), Buffer.from("}}\n")]);
  }

  remove(id: StackId): void {
    fs.rmSync(this.stackFile(id), { force: true });
    fs.rmSync(this.lockFolder(id), { recursive: true, force: true });
  }

  private writeMeta(): void {
    const file = path.join(this.folder, ".pulumi", "meta.yaml");
    if (!fs.existsSync(file)) writeAtomically(file, "version: 1\n");
  }
}

/** Refuses versions and features that this engine does not know. */
export function checkVersion(document: Record<string, unknown>, where: string): void {
  if (document["version"] !== 3) {
    throw new Unsupported(`version ${String(document["version"])} of the state format (${where})`);
  }
  const features = document["features"];
  if (Array.isArray(features) && features.length > 0) {
    throw new Unsupported(`states with the features ${features.join(", ")} (${where})`);
  }
}

/** @throws EngineError naming the file when the text is not a JSON object. */
export function parseJson(text: string, where: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Falls through: the parser's own words would quote the file, which may hold secrets.
  }
  throw new EngineError(`${where} is not a JSON object`);
}

/** A crash leaves the old file or the new one, never half of one. */
export function writeAtomically(
  file: string,
  content: string | readonly Buffer[],
  mode = 0o600,
): void {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.tmp`;
  const handle = fs.openSync(temporary, "w", mode);
  try {
    if (typeof content === "string") fs.writeFileSync(handle, content);
    else writePieces(handle, content);
    fs.fchmodSync(handle, mode);
  } finally {
    fs.closeSync(handle);
  }
  fs.renameSync(temporary, file);
}

/** Pieces per system call, below what Linux takes (IOV_MAX). */
const PIECES_AT_ONCE = 1000;

function writePieces(handle: number, pieces: readonly Buffer[]): void {
  for (let from = 0; from < pieces.length; from += PIECES_AT_ONCE) {
    const batch = pieces.slice(from, from + PIECES_AT_ONCE);
    const expected = batch.reduce((sum, piece) => sum + piece.length, 0);
    if (fs.writevSync(handle, batch) !== expected) throw new EngineError("the disk is full");
  }
}
