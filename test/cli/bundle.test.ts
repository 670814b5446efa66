import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(__dirname, "..", "..");
const { bundle } = createRequire(join(root, "package.json"))("./scripts/bundle.js") as {
  bundle(entry: string, external: string[]): string;
};

describe("the bundled command", () => {
  const folder = mkdtempSync(join(tmpdir(), "bundle-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("finds ssh2 and the host agent also from another folder, as in a checkout of somebody else's", () => {
    const elsewhere = join(folder, "cli-main.js");
    copyFileSync(bundle("cli/main.ts", ["ssh2"]), elsewhere);
    const inventory = join(folder, "hosts.yaml");
    // Without a pinned key nobody is dialled, but all that a probe needs is loaded.
    writeFileSync(
      inventory,
      `elo_sync: { coordinator: a }
p2p_voters: [a]
hosts:
  a: { ssh_host: 192.0.2.1, ringrift_path: /srv/ai-service, p2p_enabled: true, role: coordinator }
`,
    );
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [elsewhere, "status", "--json", inventory],
      { cwd: folder, encoding: "utf8" },
    );
    expect({ status, stderr }).toEqual({ status: 3, stderr: "" });
    expect((JSON.parse(stdout) as { hosts: object[] }).hosts).toMatchObject([
      { host: "a", state: "UNTRUSTED" },
    ]);
  });
});
