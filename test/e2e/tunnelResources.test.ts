import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { LAB_ACCOUNT_ID, LAB_ZONE } from "../../lab/cloudflare/names";
import { ACCOUNT, API_TOKEN, RECORDS } from "../lab/cloudflare/loopback";
import { tunnelSecret, tunnelToken } from "../../tunnels/token";
import { CloudflareStack, STACK_SECRET } from "./cloudflareStack";
import { killRun } from "./runProcesses";

// What this cannot prove: hosts, which nobody may log in to here (tunnels.test.ts has them), and Cloudflare itself.

jest.setTimeout(900_000);

const NOTHING = /Resources:\n\s+\d+ unchanged\n/;
const full = (...names: string[]): string[] => names.map((name) => `${name}.${LAB_ZONE}`).sort();
const ALL = full("g1", "h1", "h2", "p2p");
const ACCESS = ["1 applications", "1 policies", "1 serviceTokens"];
const NONE = {
  tunnels: [],
  records: [],
  access: ["0 applications", "0 policies", "0 serviceTokens"],
};
const STANDING = { tunnels: ALL, records: ALL, access: ACCESS };

/** How many different lines say it; a run repeats its diagnostics at its end. */
const timesSaid = (printed: string, words: RegExp): number =>
  new Set(
    printed
      .split("\n")
      .filter((line) => words.test(line))
      .map((line) => line.replace(/^.*?(error|warning): /, "")),
  ).size;

let stack: CloudflareStack;

beforeEach(async () => {
  stack = await CloudflareStack.start();
});

afterEach(async () => {
  await stack.close();
});

const settled = async (): Promise<string> => {
  const { code, stdout, stderr } = await stack.pulumi("preview", "--expect-no-changes");
  return code === 0 && NOTHING.test(stdout) ? "settled" : stdout + stderr;
};

describe("tunnels at Cloudflare", () => {
  it("are made once, known in the outputs, and no secret of theirs is anywhere in clear", async () => {
    const printed = await stack.mustUp();
    expect(await stack.names()).toEqual(STANDING);
    const outputs = await stack.outputs();
    const again = await stack.mustUp();
    expect(again).toMatch(NOTHING);
    expect(await settled()).toBe("settled");
    expect(await stack.outputs()).toEqual(outputs);
    const { p2pDiscovery, tunnels } = outputs as {
      p2pDiscovery: { cloudflare_endpoint: string; nodes: Record<string, { p2p_url: string }> };
      tunnels: { tunnels: Record<string, { id: string }> };
    };
    expect([p2pDiscovery.cloudflare_endpoint, p2pDiscovery.nodes["g1"]?.p2p_url]).toEqual([
      `https://p2p.${LAB_ZONE}`,
      `https://g1.${LAB_ZONE}`,
    ]);
    const own = tunnelSecret(STACK_SECRET, "node:h1", 1);
    const token = tunnelToken(LAB_ACCOUNT_ID, tunnels.tunnels["node:h1"]?.id ?? "", own);
    const [service] = stack.cloudflare.stand.account.serviceTokens;
    const secrets = [own, token, API_TOKEN, JSON.parse(JSON.stringify(service)).secret as string];
    const { stdout: exported } = await stack.pulumi("stack", "export");
    const state = readdirSync(join(stack.folder, "state"), { recursive: true, encoding: "utf8" })
      .map((file) => join(stack.folder, "state", file))
      .filter((path) => statSync(path).isFile())
      .map((path) => readFileSync(path, "utf8"));
    const texts = [printed, again, JSON.stringify(outputs), exported, ...state];
    expect(texts.filter((text) => secrets.some((one) => one && text.includes(one)))).toEqual([]);
  });

  it("cost one message where Cloudflare says no, and nothing of what stands", async () => {
    await stack.mustUp();
    stack.hosts["g2"] = {};
    const said: Record<string, unknown> = {};
    for (const status of [401, 403, 429, 500]) {
      const fault = { status, path: ".*", headers: { "retry-after": "1" } };
      await stack.cloudflare.admin("POST", "/faults", fault);
      const { code, stdout, stderr } = await stack.up();
      await stack.cloudflare.admin("DELETE", "/faults");
      const words = new RegExp(`error: p2p:cloudflare: .*${status}`);
      said[status] = [code, timesSaid(stdout + stderr, words)];
    }
    expect(said).toEqual({ "401": [1, 1], "403": [1, 1], "429": [1, 1], "500": [1, 1] });
    expect(await stack.names()).toEqual(STANDING);
    await stack.mustUp();
    expect((await stack.names()).tunnels).toEqual(full("g1", "g2", "h1", "h2", "p2p"));
    expect(await settled()).toBe("settled");
  });

  it("say that a zone is missing, and make nothing", async () => {
    stack.settings["zone"] = "another.example";
    const { code, stdout, stderr } = await stack.up();
    expect([code, timesSaid(stdout + stderr, /error: .*knows no zone another\.example/)]).toEqual([
      1, 1,
    ]);
    expect(await stack.names()).toEqual(NONE);
  });

  it("stop at the first one that a quota refuses, and go on when there is room", async () => {
    await stack.cloudflare.admin("POST", "/limits", { tunnels: 0 });
    const { code, stdout, stderr } = await stack.up();
    expect(code).not.toBe(0);
    expect(timesSaid(stdout + stderr, /error:.*cfd_tunnel/)).toBe(1);
    await stack.cloudflare.admin("DELETE", "/limits");
    await stack.mustUp();
    expect(await stack.names()).toEqual(STANDING);
    expect(await settled()).toBe("settled");
  });

  it("leave foreign records and tunnels alone; their nodes wait, the others go on", async () => {
    const theirs = { type: "A", name: `g1.${LAB_ZONE}`, content: "192.0.2.7", proxied: false };
    const made = await stack.cloudflare.api("POST", RECORDS, { ...theirs, ttl: 300 });
    await stack.cloudflare.api("POST", `${ACCOUNT}/cfd_tunnel`, {
      name: `h2.${LAB_ZONE}`,
      config_src: "cloudflare",
    });
    const printed = await stack.mustUp();
    expect(printed).toMatch(/the DNS record g1\.fleet\.example \(A 192\.0\.2\.7\) is not ours/);
    expect(printed).toMatch(/the tunnel name h2\.fleet\.example is taken/);
    expect(await stack.names()).toMatchObject({
      tunnels: full("h1", "h2", "p2p"),
      records: full("g1", "h1", "p2p"),
    });
    const record = `${RECORDS}/${String(made.body.result["id"])}`;
    expect((await stack.cloudflare.api("GET", record)).body.result).toMatchObject(theirs);
    expect(await stack.mustUp()).toMatch(NOTHING);
    await stack.cloudflare.api("DELETE", record);
    await stack.mustUp();
    expect((await stack.names()).records).toEqual(full("g1", "h1", "p2p"));
    expect((await stack.names()).tunnels).toEqual(full("g1", "h1", "h2", "p2p"));
  });

  it("take existing ones over by the configuration", async () => {
    const tunnel = await stack.cloudflare.api("POST", `${ACCOUNT}/cfd_tunnel`, {
      name: "theirs",
      config_src: "cloudflare",
    });
    const record = await stack.cloudflare.api("POST", RECORDS, {
      ...{ type: "CNAME", name: `g1.${LAB_ZONE}`, content: "old.example.com", proxied: false },
      ttl: 300,
    });
    const ids = {
      tunnel: String(tunnel.body.result["id"]),
      record: String(record.body.result["id"]),
    };
    stack.settings["adopt"] = { g1: ids };
    await stack.mustUp();
    expect(await stack.names()).toEqual(STANDING);
    const { tunnels } = (await stack.outputs()) as { tunnels: { tunnels: Record<string, object> } };
    expect(tunnels.tunnels["node:g1"]).toMatchObject({ id: ids.tunnel, record: ids.record });
    expect(await settled()).toBe("settled");
    delete stack.hosts["g1"];
    await stack.mustUp();
    expect((await stack.names()).tunnels).toEqual(full("h1", "h2", "p2p"));
  });

  it("go without their host, even if its connector died with connections open", async () => {
    await stack.mustUp();
    const { tunnels } = (await stack.outputs()) as {
      tunnels: { tunnels: Record<string, { id: string }> };
    };
    const id = tunnels.tunnels["node:g1"]?.id ?? "";
    const own = tunnelSecret(STACK_SECRET, "node:g1", 1);
    const connector = await stack.cloudflare.connector(tunnelToken(LAB_ACCOUNT_ID, id, own));
    await connector.ready();
    // It holds its connections open and never comes back with new ones, as a machine that was unplugged.
    connector.process.kill("SIGSTOP");
    delete stack.hosts["g1"];
    await stack.mustUp();
    expect(await stack.names()).toEqual({
      ...STANDING,
      tunnels: full("h1", "h2", "p2p"),
      records: full("h1", "h2", "p2p"),
    });
    expect(await settled()).toBe("settled");
  });

  it("all go with p2p:state absent, and with tunnels turned off", async () => {
    await stack.mustUp();
    stack.config["p2p:cloudflare"] = {};
    await stack.mustUp();
    expect(await stack.names()).toEqual(NONE);
    expect(await settled()).toBe("settled");
  });

  const cuts = [
    ["POST", "cfd_tunnel$"],
    ["POST", "service_tokens"],
    ["POST", "dns_records"],
    ["PUT", "configurations"],
    ["POST", "policies"],
    ["POST", "apps"],
  ] as const;
  // The soak run has them all.
  const here = process.env["TUNNEL_CUTS"] === "all" ? cuts : cuts.slice(0, 3);

  it.each(here)(
    "come whole out of a run that is killed at its first %s %s",
    async (method, path) => {
      // The call is done, its answer never comes: the engine dies not knowing.
      const fault = { method, path, kind: "lost", times: 1 };
      await stack.cloudflare.admin("POST", "/faults", fault);
      const running = stack.up();
      await requested(method, path);
      killRun(stack.folder, "engine");
      await running;
      await stack.cloudflare.admin("DELETE", "/faults");
      await stack.mustUp();
      expect(await stack.names()).toEqual(STANDING);
      expect((await stack.state()).deployment.pending_operations ?? []).toEqual([]);
      expect(await settled()).toBe("settled");
    },
  );

  async function requested(method: string, path: string): Promise<void> {
    for (;;) {
      const list = (await stack.cloudflare.admin("GET", "/requests")) as unknown as {
        method: string;
        path: string;
      }[];
      if (list.some((one) => one.method === method && new RegExp(path).test(one.path))) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
});
