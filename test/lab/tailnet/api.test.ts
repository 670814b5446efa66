import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machineFacts, whyNoLab } from "../../../lab/fleet/machineCheck";
import { silent } from "../../../lab/fleet/progress";
import { fillTailnetCache } from "../../../lab/fleet/tailnetCache";
import { until } from "../../../lab/fleet/until";
import { unwrap, type ValueMap } from "../../../lab/wire";
import { failure, type ProviderUnderTest } from "../providers/client";
import { FakeEngine } from "../providers/fakeEngine";
import { acl, dns, key, start } from "../providers/tailscale/provider";

// The provider and the lab's API were written against the same published contract; this holds them to each other.

const why = whyNoLab(machineFacts());
const title = "the provider on the lab's API";

// A cold cache is filled first, with a compiler.
jest.setTimeout(1_200_000);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const policy = (tags: readonly string[], comment = "ours"): string => `{
  // ${comment}
  "tagOwners": {${tags.map((tag) => `"${tag}": ["autogroup:admin"]`).join(", ")}},
  "grants": [{"src": ["${tags[0]}"], "dst": ["${tags[0]}"], "ip": ["tcp:8770"]}],
  "tests": [{"src": "${tags[0]}", "accept": ["${tags[0]}:8770"], "deny": ["${tags[0]}:22"]}],
}
`;

(why === null ? describe : describe.skip)(
  why === null ? title : `${title} (skipped here: ${why})`,
  () => {
    let folder: string;
    let server: ChildProcess;
    let engine: FakeEngine;
    let provider: ProviderUnderTest;
    let url: string;

    beforeAll(async () => {
      const { server: program } = await fillTailnetCache(silent);
      folder = mkdtempSync(join(tmpdir(), "tailnet-"));
      // Somebody else may be given one of its ports before it has it.
      for (let tries = 0; tries < 10 && !existsSync(join(folder, "ready")); tries += 1)
        server = await startServer(program);
      expect(existsSync(join(folder, "ready"))).toBe(true);
      engine = await FakeEngine.start();
      provider = await start(engine, { apiKey: "tskey-api-1", baseUrl: url });
    });

    /** Returns once it is ready, or has ended. */
    const startServer = async (program: string): Promise<ChildProcess> => {
      const [port, derp, stun] = [await freePort(), await freePort(), await freePort()];
      url = `http://127.0.0.1:${port}`;
      const config = {
        listen: `127.0.0.1:${port}`,
        url,
        derpListen: `127.0.0.1:${derp}`,
        stunListen: `127.0.0.1:${stun}`,
        tailnet: "lab.example",
        domain: "lab.ts.net",
        user: "operator@lab.example",
        apiKeys: ["tskey-api-1"],
        oauthClients: [{ id: "id", secret: "s", scopes: ["auth_keys"], tags: ["tag:a"] }],
      };
      writeFileSync(join(folder, "config.json"), JSON.stringify(config));
      const argv = ["-config", join(folder, "config.json"), "-ready", join(folder, "ready")];
      const child = spawn(program, argv, { stdio: "ignore" });
      const isOver = () => child.exitCode !== null || existsSync(join(folder, "ready"));
      expect(await until(isOver, 300_000)).toBe(true);
      return child;
    };

    afterAll(async () => {
      await provider?.stop();
      engine?.stop();
      server?.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    });

    it("sets a policy once, and then only over its own", async () => {
      const text = policy(["tag:a", "tag:b"]);
      const { id, outputs } = await provider.create(acl, { acl: text });
      expect(outputs).toEqual({ acl: text });
      expect((await failure(provider.create(acl, { acl: text }))).details).toMatch(
        /^Overwrite Protected: /,
      );
      const found = await provider.read(acl, id, outputs, { acl: text });
      expect(found.outputs).toEqual({ acl: text });
      const next = policy(["tag:a", "tag:b"], "and theirs");
      await provider.update(acl, id, outputs, { acl: text }, { acl: next });
      const { result } = await provider.invoke("tailscale:index/getAcl:getAcl", {});
      expect(result["hujson"]).toBe(next);
    });

    it("is told which of the policy's tests fail, and leaves what was there", async () => {
      const text = policy(["tag:a", "tag:b"]).replace(
        '"deny": ["tag:a:22"]',
        '"deny": ["tag:a:8770"]',
      );
      expect((await failure(provider.update(acl, "x", {}, {}, { acl: text }))).details).toBe(
        'Failed to update ACL: test(s) failed\n  tag:a: address "tag:a:8770": want: Drop, got: Accept (400)',
      );
      const { result } = await provider.invoke("tailscale:index/getAcl:getAcl", {});
      expect(result["hujson"]).toBe(policy(["tag:a", "tag:b"], "and theirs"));
    });

    it("makes a key, sees that it was revoked, and deletes it without a word", async () => {
      const inputs = { tags: ["tag:a"], expiry: 600, reusable: true, description: "of a test" };
      const { id, outputs } = await provider.create(key, inputs);
      expect(unwrap(outputs["key"]!)).toMatch(new RegExp(`^tskey-auth-${id}-`));
      const plain = { ...outputs, key: unwrap(outputs["key"]!) };
      expect((await provider.read(key, id, plain, inputs)).outputs).toEqual(outputs);
      expect((await provider.diff(key, id, plain, inputs, inputs)).detailed).toEqual({});
      await provider.delete(key, id, plain);
      const revoked = await provider.read(key, id, plain, inputs);
      expect(revoked.outputs["invalid"]).toBe(true);
      const state = { ...revoked.outputs, key: plain.key } as ValueMap;
      expect((await provider.diff(key, id, state, inputs, inputs)).detailed).toEqual({
        invalid: "update-replace",
      });
      await provider.delete(key, id, plain);
    });

    it("is refused a tag that nobody owns", async () => {
      expect((await failure(provider.create(key, { tags: ["tag:none"] }))).details).toBe(
        "Failed to create key: Error creating tailnet key: requested tags [tag:none] are invalid or not permitted (400)",
      );
    });

    it("reads back the DNS settings that it wrote", async () => {
      const wish = {
        magicDns: true,
        nameservers: [{ address: "192.0.2.1" }],
        searchPaths: ["example.com"],
      };
      const { id, outputs } = await provider.create(dns("DnsConfiguration"), wish);
      expect((await provider.read(dns("DnsConfiguration"), id, outputs, wish)).outputs).toEqual({
        magicDns: true,
        overrideLocalDns: false,
        nameservers: [{ address: "192.0.2.1", useWithExitNode: false }],
        searchPaths: ["example.com"],
        splitDns: [],
      });
      await provider.delete(dns("DnsConfiguration"), id, outputs);
      const preferences = await provider.read(dns("DnsPreferences"), "x", {}, {});
      expect(preferences.outputs).toEqual({ magicDns: false });
    });

    it("works with an OAuth client, within its scopes and tags", async () => {
      const config = { oauthClientId: "id", oauthClientSecret: "s", baseUrl: url };
      const other = await start(engine, config);
      const { outputs } = await other.create(key, { tags: ["tag:a"] });
      expect(outputs["userId"]).toBe("");
      expect((await failure(other.create(key, { tags: ["tag:b"] }))).details).toMatch(
        /requested tags \[tag:b\] are invalid or not permitted \(400\)$/,
      );
      expect((await failure(other.update(acl, "x", {}, {}, { acl: "{}" }))).details).toBe(
        "Failed to update ACL: calling actor does not have enough permissions to perform this function (403)",
      );
      await other.stop();
    });

    it("is not let in with another key", async () => {
      const stranger = await start(engine, { apiKey: "tskey-api-2", baseUrl: url });
      expect((await failure(stranger.create(key, {}))).details).toBe(
        "Failed to create key: Error creating tailnet key: API token invalid (401)",
      );
      await stranger.stop();
    });
  },
);
