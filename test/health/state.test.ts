import { stateOf } from "../../health/state";
import { type Facts } from "../../payload/facts";
import { type ProbeResult } from "../../probe/types";

const REASON = "u is neither root nor has passwordless sudo";
const running = {
  elevated: true,
  service: { state: "running", detail: "" },
  health: { status: 200, nodeId: "h1", healthy: true, error: null },
  port: [{ pid: 7, ours: true, name: "pid 7 (python3)" }],
  lastError: null,
};

function stateWith(facts: object, isDegraded = false) {
  const told = { facts: { ...running, ...facts } as unknown as Facts, milliseconds: 1 };
  const probe: ProbeResult = isDegraded
    ? { class: "degraded", reason: REASON, ...told }
    : { class: "ready", ...told };
  return stateOf("h1", probe);
}

describe("stateOf", () => {
  const unseen = [{ pid: null, ours: false, name: "a process that is not visible from here" }];

  it.each([
    ["well", {}, "HEALTHY", ""],
    ["busy", { health: { ...running.health, healthy: false } }, "HEALTHY", "busy"],
    [
      "somebody else's",
      { port: [{ pid: 9, ours: false, name: "pid 9" }] },
      "BLOCKED",
      "blocked by pid 9",
    ],
    ["not visible to root", { port: unseen }, "BLOCKED", `blocked by ${unseen[0]?.name}`],
  ])("%s", (_case, facts, state, detail) => {
    expect(stateWith(facts)).toEqual({ state, detail });
  });

  it("calls nobody the port's owner whom only root could see, and says that nobody is root there", () => {
    expect(stateWith({ elevated: false, port: unseen }, true)).toEqual({
      state: "HEALTHY",
      detail: REASON,
    });
  });
});
