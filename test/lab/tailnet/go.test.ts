import { readFileSync } from "node:fs";
import { join } from "node:path";
import { presentGo } from "../../../lab/fleet/goToolchain";
import { projectRoot } from "../../../lab/fleet/projectRoot";
import { run, type RunResult } from "../../../lab/fleet/run";

const go = presentGo();
const title = "the tailnet's server, in Go";

jest.setTimeout(900_000);

(go === null ? describe.skip : describe)(
  go === null ? `${title} (skipped here: there is no Go 1.26.5 or newer)` : title,
  () => {
    // As scripts/lab-tailnet.sh builds, so that what it compiled is not compiled again.
    const script = readFileSync(join(projectRoot(), "scripts", "lab-tailnet.sh"), "utf8");
    const omitted = /^omit="([^"]+)"/m.exec(script)?.[1]?.split(/\s+/) ?? [];
    const tags = omitted.map((feature) => `ts_omit_${feature}`).join();
    const env = {
      ...process.env,
      GOTOOLCHAIN: "local",
      GOFLAGS: `-mod=readonly -trimpath -tags=${tags}`,
      CGO_ENABLED: "0",
      GOWORK: "off",
    };
    const inModule = (...argv: string[]): Promise<RunResult> =>
      run([go ?? "", ...argv], { cwd: `${projectRoot()}/lab/tailnet`, env });

    it("passes its own tests", async () => {
      const { code, stdout, stderr } = await inModule("test", "./...");
      expect([code, code === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
    });

    it("is built without what no server uses", () => {
      expect(omitted.slice(0, 2)).toEqual(["acme", "aws"]);
    });

    it("satisfies go vet", async () => {
      const { code, stderr } = await inModule("vet", "./...");
      expect([code, code === 0 ? "" : stderr]).toEqual([0, ""]);
    });

    it("names its modules without addresses, and is formatted", async () => {
      const { stdout } = await inModule("mod", "verify");
      expect(stdout).toBe("all modules verified\n");
      const gofmt = (go ?? "").replace(/go$/, "gofmt");
      const { stdout: unformatted } = await run([gofmt, "-l", `${projectRoot()}/lab/tailnet`]);
      expect(unformatted).toBe("");
    });
  },
);
