import { spawnSync } from "node:child_process";
import { briefProbeScript, phaseText, probeScript, stageScript } from "../../payload/remoteText";
import { type FactsRequest } from "../../payload/spec";

const request = { node: "h1" } as FactsRequest;

describe("texts for a host's login shell", () => {
  it.each([
    ["probe", probeScript(request).command],
    ["brief probe", briefProbeScript(request).command],
    ["stage", stageScript().command],
    ["prepare", phaseText("prepare")],
    ["disarm", phaseText("disarm")],
  ])("%s: one quoted text on one line, which csh takes as well", (_name, command) => {
    const [, script = ""] = /^exec sh -c '([^'\n]*)'$/.exec(command) ?? [];
    const { status, stderr } = spawnSync("sh", ["-n"], { input: script, encoding: "utf8" });
    // UTF-8 whatever the login's locale is.
    const pythons = [...script.matchAll(/python3 -\S+/g)].map(([start]) => start);
    expect({ isOneText: script !== "", status, stderr, pythons: new Set(pythons) }).toEqual({
      isOneText: true,
      status: 0,
      stderr: "",
      pythons: new Set(["python3 -Xutf8"]),
    });
  });
});
