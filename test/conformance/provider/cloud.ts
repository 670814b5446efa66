import * as fs from "node:fs";
import * as path from "node:path";

/** One line of the journal: a call that reached the provider, or the end of one that changed something. */
export interface JournalEntry {
  readonly call: string;
  readonly phase: "begin" | "done" | "failed";
  readonly name: string;
  readonly id?: string;
  readonly preview?: boolean;
  readonly [field: string]: unknown;
}

/** What the cloud knows of an object. */
export interface CloudObject {
  /** The resource that it was made for. */
  readonly urn: string;
  readonly inputs: unknown;
  readonly outputs: unknown;
}

/**
 * The fake cloud behind the conformance provider: a directory with one file per object that exists, and
 * a journal of every call. It lives outside the state, so a test sees what was lost or created twice.
 */
export class Cloud {
  private readonly objects: string;
  private readonly journal: string;

  constructor(directory: string) {
    this.objects = path.join(directory, "objects");
    this.journal = path.join(directory, "journal.jsonl");
    fs.mkdirSync(this.objects, { recursive: true });
  }

  /** Appends one entry; a single write, so that entries of several providers do not mix. */
  record(entry: JournalEntry): void {
    fs.appendFileSync(this.journal, `${JSON.stringify(entry)}\n`);
  }

  /** Brings an object into existence and returns its id, `<name>-<n>` with the lowest n never used. */
  create(name: string, object: CloudObject): string {
    for (let n = 1; ; n += 1) {
      const id = `${name}-${n}`;
      const file = path.join(this.objects, id);
      if (fs.existsSync(file) || fs.existsSync(`${file}.json`)) continue;
      this.write(id, object);
      return id;
    }
  }

  /** The object, or undefined when it does not exist. */
  read(id: string): CloudObject | undefined {
    try {
      const text = fs.readFileSync(path.join(this.objects, `${id}.json`), "utf8");
      return JSON.parse(text) as CloudObject;
    } catch {
      return undefined;
    }
  }

  /** Id of the object that was made for a resource with these inputs, if there is one. */
  find(urn: string, inputs: unknown): string | undefined {
    const wanted = JSON.stringify(inputs);
    const ids = fs.readdirSync(this.objects).filter((file) => file.endsWith(".json"));
    return ids
      .map((file) => file.slice(0, -".json".length))
      .find((id) => {
        const object = this.read(id);
        return object?.urn === urn && JSON.stringify(object.inputs) === wanted;
      });
  }

  write(id: string, object: CloudObject): void {
    const file = path.join(this.objects, `${id}.json`);
    fs.writeFileSync(`${file}.new`, JSON.stringify(object));
    fs.renameSync(`${file}.new`, file);
  }

  /** Removes the object; what stays is a marker without ending, so that its id is never given again. */
  delete(id: string): void {
    const file = path.join(this.objects, id);
    if (fs.existsSync(`${file}.json`)) fs.renameSync(`${file}.json`, file);
  }
}

/** Every id ever given in a fake cloud's directory, sorted. */
export function everyObject(directory: string): string[] {
  const files = fs.readdirSync(path.join(directory, "objects"));
  const ids = files.filter((file) => !file.endsWith(".new"));
  return ids.map((file) => file.replace(/\.json$/, "")).sort();
}

/** Ids of the objects that exist in a fake cloud's directory, sorted. */
export function existingObjects(directory: string): string[] {
  const objects = path.join(directory, "objects");
  if (!fs.existsSync(objects)) return [];
  const files = fs.readdirSync(objects).filter((file) => file.endsWith(".json"));
  return files.map((file) => file.slice(0, -".json".length)).sort();
}

/** Every journal entry so far, in the order written. */
export function readJournal(directory: string): JournalEntry[] {
  const file = path.join(directory, "journal.jsonl");
  if (!fs.existsSync(file)) return [];
  const lines = fs.readFileSync(file, "utf8").split("\n");
  // A provider killed in the middle of a write leaves half a line at the very end.
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line) as JournalEntry];
    } catch {
      return [];
    }
  });
}
