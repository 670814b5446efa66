import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { downLabs } from "../../../lab/fleet/down";
import { Lab } from "../../../lab/fleet/lab";
import { LabDirectory } from "../../../lab/fleet/labDirectory";
import { machineFacts, whyNoLab } from "../../../lab/fleet/machineCheck";
import { cleanOrphans } from "../../../lab/fleet/makeLab";
import { silent } from "../../../lab/fleet/progress";
import { projectRoot } from "../../../lab/fleet/projectRoot";
import { until } from "../../../lab/fleet/until";
import { pinned, tracesOf, unpin } from "./traces";

const why = whyNoLab(machineFacts());
const onLab = why === null ? describe : describe.skip;
const title = why === null ? "a lab that is killed" : `a lab that is killed (skipped here: ${why})`;

// A cold cache is filled first: packages, base root, wheels.
jest.setTimeout(900_000);

const fixture = (name: string): string => join(__dirname, "fixtures", name);
const one = { inventory: fixture("one.yaml"), machines: fixture("oneMachine.yaml") };

/** The parent of a process. */
function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

onLab(title, () => {
  let id: string;
  let namespaces: string[];

  beforeEach(() => {
    id = `t${randomBytes(3).toString("hex")}`;
    namespaces = [];
  });

  afterEach(async () => {
    await downLabs(id);
    unpin();
  });

  /** `fleet lab up` in a process of its own. */
  const start = (): ChildProcess => {
    const { bundle } = createRequire(join(projectRoot(), "package.json"))(
      "./scripts/bundle.js",
    ) as {
      bundle(entry: string, external: string[]): string;
    };
    const files = ["--inventory", one.inventory, "--machines", one.machines];
    const argv = [bundle("lab/main.ts", ["ssh2"]), "up", "--no-converge", "--id", id, ...files];
    return spawn(process.execPath, argv, {
      stdio: ["ignore", "ignore", "pipe"],
      cwd: projectRoot(),
    });
  };
  const says = (child: ChildProcess, text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      let all = "";
      child.stderr?.on("data", (chunk: Buffer) => {
        all += chunk.toString();
        if (all.includes(text)) resolve();
      });
      child.on("exit", () => reject(new Error(`ended without saying "${text}": ${all}`)));
    });
  const exitOf = (child: ChildProcess): Promise<number | null> =>
    new Promise((resolve) => child.on("exit", (code) => resolve(code)));
  const init = (): number => new LabDirectory(id).init()?.pid ?? 0;
  const vanishes = async (): Promise<string[]> => {
    await until(() => tracesOf(id, namespaces).length === 0, 300_000, 100);
    return tracesOf(id, namespaces);
  };
  const up = async (): Promise<Lab> => {
    const lab = await Lab.up({ ...one, id });
    namespaces = pinned(lab.init);
    return lab;
  };

  it("leaves nothing when the command that makes it is killed", async () => {
    const child = start();
    const exit = exitOf(child);
    await says(child, "roots made");
    namespaces = pinned(init());
    expect(namespaces).toHaveLength(3);
    child.kill("SIGKILL");
    await exit;
    expect(await vanishes()).toEqual([]);
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "leaves nothing when %s ends that command",
    async (signal) => {
      const child = start();
      const exit = exitOf(child);
      await says(child, "roots made");
      namespaces = pinned(init());
      child.kill(signal);
      expect(await exit).toBe(130);
      expect(tracesOf(id, namespaces)).toEqual([]);
    },
  );

  it("outlives the command that made it, and leaves nothing when its first process is killed", async () => {
    expect(await exitOf(start())).toBe(0);
    namespaces = pinned(init());
    const lab = Lab.attach(id);
    expect((await lab.ssh("b1", "hostname")).stdout).toBe("b1\n");
    process.kill(lab.init, "SIGKILL");
    expect(await vanishes()).toEqual([]);
  });

  it("leaves nothing when its guard is killed", async () => {
    const lab = await up();
    process.kill(parentOf(parentOf(lab.init)), "SIGKILL");
    expect(await vanishes()).toEqual([]);
  });

  it("goes with the process that made it, unless kept", async () => {
    const script = `
      const { bundle } = require("./scripts/bundle.js");
      process.argv.splice(1, 0, "node");
      require(bundle("test/lab/hosts/owner.ts", ["ssh2"]));`;
    const argv = ["-e", script, id, one.inventory, one.machines];
    const owner = spawn(process.execPath, argv, {
      stdio: ["ignore", "ignore", "pipe"],
      cwd: projectRoot(),
    });
    const exit = exitOf(owner);
    await says(owner, "up");
    namespaces = pinned(init());
    owner.kill("SIGKILL");
    await exit;
    expect(await vanishes()).toEqual([]);
  });

  it("is cleaned up by the next command when all who could are killed with it", async () => {
    const { init: first, directory } = await up();
    const guards = directory.guards().map(({ pid }) => pid);
    expect(guards).toHaveLength(2);
    // Stopped first, so that none of them notices the end of another.
    guards.forEach((pid) => process.kill(pid, "SIGSTOP"));
    [first, ...guards].forEach((pid) => process.kill(pid, "SIGKILL"));
    // The next command may be another test file's own, which is on this machine too.
    const isGone = (): boolean => !existsSync(directory.path);
    expect(await until(() => directory.isOrphaned() || isGone(), 300_000)).toBe(true);
    await cleanOrphans(silent);
    expect(await vanishes()).toEqual([]);
  });
});
