import { spawnSync } from "node:child_process";
import { join } from "node:path";

describe("the forwarder's modules", () => {
  it("pass their own tests", () => {
    const done = spawnSync("python3", ["-m", "unittest", "discover", "-s", "."], {
      cwd: join(__dirname, "python"),
      encoding: "utf8",
    });
    expect(done.stderr).toMatch(/\nOK\n$/);
    expect(done.status).toBe(0);
  }, 120_000);
});
