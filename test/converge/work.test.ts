import { decideWork, factsOf } from "../../converge/work";
import { type Facts } from "../../payload/facts";
import { type ProbeResult } from "../../probe/types";

const degraded = (reason: string, facts: Partial<Facts> | null): ProbeResult => ({
  class: "degraded",
  facts: facts as Facts | null,
  reason,
  milliseconds: 1,
});
const decide = (probe: ProbeResult) =>
  decideWork(probe, false, () => [{ what: "firewall", want: "rules", is: "absent" }], "now");

describe("a host that is not quite as it should be", () => {
  it("is worked on where the run can bring what is missing", () => {
    const probe = degraded("python3 is missing", { python: null, elevated: false });
    expect(factsOf(probe)).toEqual({ python: null, elevated: false });
    expect(decide(probe)).toMatchObject({ kind: "needed" });
  });

  it("is left as it is where nobody can become root: what cannot be seen is no drift", () => {
    const python = {} as Facts["python"];
    const probe = degraded("u is neither root nor has passwordless sudo", {
      python,
      elevated: false,
    });
    expect(factsOf(probe)).toBeUndefined();
    expect(decide(probe)).toEqual({
      kind: "waiting",
      cause: "unreachable",
      why: "degraded: u is neither root nor has passwordless sudo",
    });
  });

  it("is left as it is where it told nothing", () => {
    expect(decide(degraded("logged in, but gave no answer within 10 s", null))).toMatchObject({
      cause: "unreachable",
    });
  });
});
