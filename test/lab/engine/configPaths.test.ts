import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { configRemove, configSet } from "../../../lab/engine/commands/configCommands";

/** What the real CLI (3.248) wrote for the same commands, but for quotes. */
describe("settings below a key", () => {
  const folder = mkdtempSync(join(tmpdir(), "config-paths-"));
  const file = join(folder, "Pulumi.s1.yaml");
  const options = { cwd: folder, stack: "s1", path: true };
  const before = process.env["PULUMI_BACKEND_URL"];
  const written = (): unknown => (parse(readFileSync(file, "utf8")) as { config: unknown }).config;

  beforeAll(() => {
    process.env["PULUMI_BACKEND_URL"] = `file://${folder}`;
    writeFileSync(join(folder, "Pulumi.yaml"), "name: p2p\nruntime: nodejs\n");
    writeFileSync(file, "config: {}\n");
  });
  afterAll(() => {
    if (before === undefined) delete process.env["PULUMI_BACKEND_URL"];
    else process.env["PULUMI_BACKEND_URL"] = before;
    rmSync(folder, { recursive: true });
  });

  it("are set by path and by place in a list, and go again", async () => {
    await configSet("p2p:firewall.allow[0]", "192.0.2.0/24", options);
    await configSet("p2p:firewall.hosts.h4.allow[0]", "198.51.100.7", options);
    await configSet("p2p:cloudflare.accessOverlap", "false", options);
    const firewall = {
      ...{ allow: ["192.0.2.0/24"], hosts: { h4: { allow: ["198.51.100.7"] } } },
    };
    expect(written()).toEqual({
      "p2p:firewall": firewall,
      "p2p:cloudflare": { accessOverlap: false },
    });
    configRemove("p2p:cloudflare.accessOverlap", options);
    configRemove("p2p:firewall.hosts.h4.allow[0]", options);
    expect(written()).toEqual({
      "p2p:firewall": { ...firewall, hosts: { h4: { allow: [] } } },
      "p2p:cloudflare": {},
    });
  });

  it("are not guessed where the path is not understood", async () => {
    for (const key of ['p2p:a["b"]', "p2p:a.b[x]", "p2p:a..b"])
      await expect(configSet(key, "1", options)).rejects.toThrow(/does not support the path/);
  });
});
