import * as fs from "node:fs";
import * as path from "node:path";

/** One command of a program's life, and what is set before it. */
export interface Step {
  readonly run: "up" | "preview" | "destroy" | "outputs";
  /** Value of the configuration key `step` from here on; the first step starts with 1. */
  readonly step?: number;
  /** Further configuration from here on. */
  readonly config?: Readonly<Record<string, string>>;
  /** Further arguments; for `up` they replace `--skip-preview`. */
  readonly args?: readonly string[];
  /** Texts that have to appear in what the command prints. */
  readonly says?: readonly string[];
  /** Texts that must not appear. */
  readonly saysNot?: readonly string[];
}

/** A program file: what it shows, its steps, and how it is compared. */
export interface ProgramFile {
  readonly name: string;
  readonly about: string;
  readonly steps: readonly Step[];
  /** File of the program itself, when it is not this one. */
  readonly source?: string;
  readonly config?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether it needs an SSH server; its port is the configuration key `port`. */
  readonly sshd?: boolean;
  /** Whether the order of the calls is fixed by the program's dependencies, so that it is compared. */
  readonly ordered?: boolean;
}

/** Every program in programs/, by name. */
export function loadPrograms(): ProgramFile[] {
  const folder = path.join(__dirname, "programs");
  const files = fs.readdirSync(folder).filter((file) => file.endsWith(".js"));
  return files.sort().map((file) => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- found at run time
    const loaded = require(path.join(folder, file)) as Omit<ProgramFile, "name">;
    return { ...loaded, name: file.slice(0, -".js".length) };
  });
}
