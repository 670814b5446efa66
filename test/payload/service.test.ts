import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LAUNCHD_LABEL, LAUNCHER, SERVICE } from "../../payload/names";
import { renderService } from "../../payload/renderService";
import { canRun } from "./tools";

const KNOWN_DIFFERENCE = "Command /opt/ringrift-p2p/current/run is not executable";

describe("renderService", () => {
  it("keeps the limits of starts where systemd reads them", () => {
    const unit = renderService("systemd", "ubuntu");
    const sections = unit.split(/^\[/m).slice(1);
    expect(sections.map((section) => section.split("]")[0])).toEqual([
      "Unit",
      "Service",
      "Install",
    ]);
    expect(sections[0]).toContain("StartLimitIntervalSec=0");
    expect(sections[1]).toContain("User=ubuntu\n");
    expect(sections[1]).toContain(`ExecStart=${LAUNCHER}\n`);
  });

  it.each(["systemd", "supervisord", "own", "launchd"] as const)(
    "leaves no placeholder for %s",
    (kind) => {
      expect(renderService(kind, "root")).not.toContain("@");
    },
  );

  it(`names the program ${SERVICE}`, () => {
    expect(renderService("own", "root")).toBe(renderService("supervisord", "root"));
    expect(renderService("own", "root")).toContain(
      `[program:${SERVICE}]\ncommand=${LAUNCHER}\nuser=root\n`,
    );
  });

  const systemd = canRun("systemd-analyze", ["--version"]);
  it(
    systemd ? "passes systemd-analyze verify" : "systemd-analyze is not here: unit not verified",
    () => {
      if (!systemd) return;
      const dir = mkdtempSync(join(tmpdir(), "p2p-unit-"));
      try {
        const path = join(dir, `${SERVICE}.service`);
        writeFileSync(path, renderService("systemd", "root"));
        expect(complaints(path)).toEqual([]);
      } finally {
        rmSync(dir, { recursive: true });
      }
    },
  );

  const python = canRun("python3", ["--version"]);
  it(
    python ? "gives a property list that plistlib reads" : "python3 is not here: plist not parsed",
    () => {
      if (!python) return;
      const script =
        "import plistlib,sys,json;print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))";
      const input = renderService("launchd", "ubuntu");
      expect(
        JSON.parse(execFileSync("python3", ["-c", script], { input, encoding: "utf8" })),
      ).toEqual({
        Label: LAUNCHD_LABEL,
        ProgramArguments: [LAUNCHER],
        UserName: "ubuntu",
        RunAtLoad: true,
        KeepAlive: true,
        ThrottleInterval: 10,
        ExitTimeOut: 20,
        SoftResourceLimits: { NumberOfFiles: 65536 },
        StandardOutPath: "/var/log/ringrift-p2p/daemon.log",
        StandardErrorPath: "/var/log/ringrift-p2p/daemon.log",
      });
    },
  );
});

/** What verify says about this unit; that the launcher is not on this machine is no fault of it. */
function complaints(path: string): string[] {
  let output: string;
  try {
    output = execFileSync("systemd-analyze", ["verify", path], { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    output = String((error as { stderr?: unknown }).stderr);
  }
  return output
    .split("\n")
    .filter((line) => line.includes(SERVICE) && !line.includes(KNOWN_DIFFERENCE));
}
