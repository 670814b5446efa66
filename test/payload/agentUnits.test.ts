import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { shortDigest } from "../../payload/digest";
import { MODULES, packAgent } from "../../payload/agent";
import * as names from "../../payload/names";
import { phaseText, stageScript, probeScript } from "../../payload/remoteText";
import { factsRequest } from "../../payload/compare";
import { renderAbsent } from "../../payload/render";
import { readSource } from "../../payload/sources";

describe("the agent's modules", () => {
  it("pass their own tests", () => {
    const done = spawnSync("python3", ["-m", "unittest", "discover", "-s", "."], {
      cwd: join(__dirname, "python"),
      encoding: "utf8",
    });
    expect(done.stderr).toMatch(/\nOK\n$/);
    expect(done.status).toBe(0);
  }, 120_000);

  it("import only what is loaded before them", () => {
    const late = MODULES.flatMap((name, index) => {
      const imported = [
        ...readSource(`host/${name}.py`).matchAll(/^(?:import|from) (.+?)(?: import .*)?$/gm),
      ];
      return imported
        .flatMap((match) => (match[1] ?? "").split(", "))
        .filter((other) => MODULES.indexOf(other as (typeof MODULES)[number]) >= index)
        .map((other) => `${name} imports ${other}`);
    });
    expect(late).toEqual([]);
  });

  it("name the same places as the renderer", () => {
    const paths = readSource("host/paths.py");
    expect(paths).toContain(`BASE = "${names.BASE}"\n`);
    expect(paths).toContain(`LOG_DIR = "${names.LOG_DIR}"\n`);
    expect(paths).toContain(`SERVICE = "${names.SERVICE}"\n`);
    expect(names.DAEMON_LOG).toBe(`${names.LOG_DIR}/daemon.log`);
  });
});

describe("remote texts", () => {
  it("name the agent by the digest of its modules", () => {
    const modules = MODULES.map((name) => [name, readSource(`host/${name}.py`)]);
    expect(packAgent().digest).toBe(shortDigest(modules));
    expect(phaseText("activate")).toContain(
      `/opt/ringrift-p2p/agent/${packAgent().digest} activate`,
    );
  });

  it("stay small where the state holds them twice", () => {
    for (const phase of ["prepare", "secrets", "activate", "disarm"] as const) {
      expect(phaseText(phase).length).toBeLessThan(1200);
    }
  });

  it("give a verdict where there is no agent, no sudo or no Python", () => {
    const absent = renderAbsent("h4");
    const probe = probeScript(factsRequest(absent, absent, null));
    for (const text of [phaseText("prepare"), stageScript().command, probe.command]) {
      const syntax = spawnSync("sh", ["-n"], { input: text, encoding: "utf8" });
      expect([syntax.status, syntax.stderr]).toEqual([0, ""]);
    }
  });

  it("keep a node's name out of the shell", () => {
    const absent = renderAbsent("$(id)");
    expect(probeScript(factsRequest(absent, absent, null)).command).not.toContain("$(id)");
  });
});
