import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** Which engine a program runs on. */
export type EngineName = "embedded" | "real";

export const passphrase = "planted-passphrase";

/** Salt of the passphrase above and two secrets under it, made by the real CLI. */
const stackFile = `encryptionsalt: v1:HCNI1WpkhXs=:v1:7m6Xg4Mw49X2jLHp:nsPtbd1ZE90OuE9BNPryTHC1WbCehw==
config:
  conformance:token:
    secure: v1:6ov4fVqhC6CkbSth:t1Qtijvg8w8m97aEVWP8yz3P6jshq1/V/mssX7bQPQ23OjD2aA==
`;

/** The secret in the stack file, in clear: it may be nowhere but in a provider's hands. */
export const configSecret = "planted-secret-config";

const here = __dirname;
const root = path.join(here, "..", "..");
export const embeddedCli = path.join(root, "lab", "bin", "pulumi");

/** The real CLI's folder: `PULUMI_REAL`, else the first on PATH that holds pulumi and its Node host. */
export function realCliFolder(): string | undefined {
  const named = process.env["PULUMI_REAL"];
  const folders = named ? [named] : (process.env["PATH"] ?? "").split(path.delimiter);
  return folders.find(
    (folder) =>
      folder !== path.dirname(embeddedCli) &&
      ["pulumi", "pulumi-language-nodejs"].every((name) => fs.existsSync(path.join(folder, name))),
  );
}

/** What a finished process left. */
export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A throw-away project with one program, one stack `test`, a state and a fake cloud of its own. */
export class Project {
  readonly directory: string;
  readonly cloud: string;
  readonly backend: string;

  /**
   * @param program file of the program, relative to programs/
   * @param extraPlugins folders with further provider executables
   */
  constructor(
    readonly engine: EngineName,
    program: string,
    private readonly extraPlugins: readonly string[] = [],
  ) {
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), "conformance-"));
    this.cloud = path.join(this.directory, "cloud");
    this.backend = path.join(this.directory, "backend");
    fs.mkdirSync(this.backend);
    fs.mkdirSync(this.cloud);
    this.write(program);
  }

  private write(program: string): void {
    const file = (name: string, text: string) =>
      fs.writeFileSync(path.join(this.directory, name), text);
    const isTypeScript = program.endsWith(".ts");
    const runtime = `{ name: nodejs, options: { typescript: ${isTypeScript} } }`;
    file("Pulumi.yaml", `name: conformance\nruntime: ${runtime}\n`);
    file("package.json", `{ "name": "conformance", "version": "1.0.0", "private": true }\n`);
    const target = JSON.stringify(path.join(here, "programs", program.replace(/\.ts$/, "")));
    if (isTypeScript) {
      fs.copyFileSync(path.join(here, "programs", program), path.join(this.directory, "index.ts"));
      file(
        "tsconfig.json",
        `{ "compilerOptions": { "target": "es2022", "module": "commonjs", "moduleResolution": "node10", "strict": true, "skipLibCheck": true } }`,
      );
    } else {
      file(
        "index.js",
        `module.exports = require(${JSON.stringify(path.join(here, "entry.js"))})(${target});\n`,
      );
    }
    fs.symlinkSync(path.join(root, "node_modules"), path.join(this.directory, "node_modules"));
    this.configure({});
  }

  /** Writes the stack's configuration: the secret `token`, and these plain values. */
  configure(config: Readonly<Record<string, string>>): void {
    const lines = Object.entries(config).map(([key, value]) => {
      const name = key.includes(":") ? key : `conformance:${key}`;
      return `  ${name}: ${JSON.stringify(value)}\n`;
    });
    fs.writeFileSync(path.join(this.directory, "Pulumi.test.yaml"), stackFile + lines.join(""));
  }

  environment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
    const folders = [
      path.join(here, "provider", "bin"),
      ...this.extraPlugins,
      this.engine === "real" ? (realCliFolder() ?? "") : path.dirname(embeddedCli),
      path.dirname(process.execPath),
      "/usr/local/bin",
      "/usr/bin",
      "/bin",
    ];
    return {
      PATH: folders.join(path.delimiter),
      HOME: this.directory,
      PULUMI_HOME: path.join(this.directory, "home"),
      PULUMI_BACKEND_URL: `file://${this.backend}`,
      PULUMI_CONFIG_PASSPHRASE: passphrase,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_NODEJS_TRANSPILE_ONLY: "true",
      PULUMI_ENGINE: this.engine === "real" ? "pulumi" : "embedded",
      CONF_CLOUD: this.cloud,
      ...extra,
    };
  }

  /** Starts the engine's CLI and does not wait. */
  start(argv: readonly string[], extra: Readonly<Record<string, string>> = {}) {
    const cli = this.engine === "real" ? path.join(realCliFolder() ?? "", "pulumi") : embeddedCli;
    return spawn(cli, [...argv], {
      cwd: this.directory,
      env: this.environment(extra),
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** Runs one command of the engine's CLI to its end. */
  async run(
    argv: readonly string[],
    extra: Readonly<Record<string, string>> = {},
  ): Promise<Finished> {
    const child = this.start(argv, extra);
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve({ exitCode: code ?? -1, stdout, stderr }));
    });
  }

  /** Makes the stack. */
  async createStack(): Promise<void> {
    const made = await this.run(["stack", "init", "test", "--non-interactive"]);
    if (made.exitCode !== 0) throw new Error(`stack init: ${made.stdout}${made.stderr}`);
  }

  remove(): void {
    // A process that is just ending may still write below it.
    fs.rmSync(this.directory, { recursive: true, force: true, maxRetries: 20 });
  }
}
