import { writeFileSync } from "node:fs";
import { type ServerResponse } from "node:http";
import { join } from "node:path";
import { run } from "../../../lab/fleet/run";
import { until } from "../../../lab/fleet/until";
import { ACCOUNT, Loopback } from "./loopback";

let lab: Loopback;
let file: string;

beforeAll(async () => {
  lab = await Loopback.start();
  file = await lab.connectorFile();
});

afterAll(async () => {
  await lab.close();
});

const token = (fields: object): string => Buffer.from(JSON.stringify(fields)).toString("base64");

describe("the stand-in connector's command line", () => {
  const says = async (words: string[], env: NodeJS.ProcessEnv = {}) => {
    const clean = { ...process.env, TUNNEL_TOKEN: undefined, TUNNEL_TOKEN_FILE: undefined };
    return run([file, ...words], { env: { ...clean, ...env } });
  };
  const hint = "See 'cloudflared tunnel run --help'.\n";

  it.each([[["--version"]], [["version"]], [["-v"]]])(
    "%j names itself a stand-in",
    async (words) => {
      expect(await says(words)).toEqual({
        code: 0,
        stdout:
          "cloudflared version 2026.8.2 (built 2026-01-01-00:00 UTC; the fleet lab's stand-in, not Cloudflare's program)\n",
        stderr: "",
      });
    },
  );

  it("names itself one in its help, too", async () => {
    const { code, stdout } = await says(["tunnel", "run", "--help"]);
    expect([code, stdout.includes("the fleet lab's stand-in")]).toEqual([0, true]);
  });

  it.each<[string[], NodeJS.ProcessEnv, number, string]>([
    [["tunnel", "--nope", "run"], {}, 1, "Incorrect Usage: flag provided but not defined: -nope\n"],
    [
      ["tunnel", "run", "--protocol", "h3"],
      {},
      1,
      'Incorrect Usage: invalid value "h3" for flag -protocol\n',
    ],
    [
      ["tunnel", "run", "--token-file", "/no/such"],
      {},
      255,
      `Failed to read token file: open /no/such: no such file or directory\n${hint}`,
    ],
    [["tunnel", "run"], { TUNNEL_TOKEN: "!" }, 255, `Provided Tunnel token is not valid.\n${hint}`],
    [
      ["tunnel", "run", "--token", token({ a: "1" })],
      {},
      255,
      `Provided Tunnel token is not valid.\n${hint}`,
    ],
    [
      ["service", "install"],
      {},
      1,
      "cloudflared service install: is not part of the stand-in (the fleet lab's stand-in, not Cloudflare's program)\n",
    ],
  ])("%j with %j ends with %i", async (words, env, code, stderr) => {
    expect(await says(words, env)).toEqual({ code, stdout: "", stderr });
  });
});

describe("the stand-in connector", () => {
  it("reads its token from a file, is ready, and follows a new configuration at once", async () => {
    const origin = await lab.origin((request, response) => response.end(request.url));
    const { id, token: given } = await lab.tunnel("n1", origin.port, {
      path: "^/(health|status)$",
    });
    const tokenFile = join(lab.folder, "token");
    writeFileSync(tokenFile, `${given}\n`);
    const connector = await lab.connector("", "--token-file", tokenFile, "--protocol", "http2");
    await connector.ready();
    await until(async () => (await connector.metrics("/ready")).body.includes('s":4'), 60_000);
    const ready = await connector.metrics("/ready");
    expect([ready.status, JSON.parse(ready.body)]).toEqual([
      200,
      { status: 200, readyConnections: 4, connectorId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    ]);
    expect(await connector.metrics("/healthcheck")).toEqual({ status: 200, body: "OK\n" });
    expect((await lab.get("n1", "/health?x")).status).toBe(200);
    expect((await lab.get("n1", "/admin")).status).toBe(404);
    expect((await lab.get("n1", "/health/x")).status).toBe(404);

    const ingress = [{ service: "http_status:418" }];
    const path = `${ACCOUNT}/cfd_tunnel/${id}/configurations`;
    await lab.api("PUT", path, { config: { ingress } });
    await until(async () => (await lab.get("n1", "/health")).status === 418, 60_000, 50);
    expect((await lab.get("n1", "/health")).status).toBe(418);
    const config = await connector.metrics("/config");
    expect(JSON.parse(config.body)).toEqual({ version: 2, config: { ingress } });
    const state = await lab.api("GET", `${ACCOUNT}/cfd_tunnel/${id}`);
    expect(state.body.result).toMatchObject({ status: "healthy", conns_inactive_at: null });
    // The token is in a file, and nowhere else.
    expect(connector.stderr).not.toContain(given);
    expect(connector.process.spawnargs.join(" ")).not.toContain(given);
  });

  it("with a wrong secret is refused, says so, and tries again", async () => {
    const { id } = await lab.tunnel("wrong", 1);
    const wrong = token({ a: lab.stand.account.id, t: id, s: Buffer.alloc(32).toString("base64") });
    const connector = await lab.connector(wrong);
    await connector.said(/Retrying connection in up to 2s/);
    expect(connector.stderr).toContain(
      'ERR Register tunnel error from server side connIndex=0 error="Unauthorized: Invalid tunnel secret" event=0 ip=127.0.0.1',
    );
    expect(await connector.metrics("/ready")).toMatchObject({ status: 503 });
    expect(connector.process.exitCode).toBeNull();
    expect(await connector.stop()).toBe(0);
  });

  it("of a deleted tunnel is refused", async () => {
    const { id, token: given } = await lab.tunnel("deleted", 1);
    await lab.api("DELETE", `${ACCOUNT}/cfd_tunnel/${id}`);
    const connector = await lab.connector(given);
    await connector.said(/Unauthorized: Failed to get tunnel/);
  });

  it("that is told to stop takes no more requests, and ends those that it has", async () => {
    const waiting: ServerResponse[] = [];
    const origin = await lab.origin((_, response) => waiting.push(response));
    const { id, token: given } = await lab.tunnel("grace", origin.port);
    const connector = await lab.connector(given);
    await connector.ready();
    const underWay = lab.get("grace");
    await until(() => waiting.length === 1, 60_000);
    const ended = connector.stop("SIGTERM");
    await connector.said(/Initiating graceful shutdown due to signal terminated \.\.\./);
    await connector.said(/Unregistered tunnel connection/);
    expect((await lab.get("grace")).status).toBe(530);
    waiting[0]?.end("finished");
    expect((await underWay).body).toBe("finished");
    expect(await ended).toBe(0);
    const state = await lab.api("GET", `${ACCOUNT}/cfd_tunnel/${id}`);
    expect(state.body.result).toMatchObject({ status: "down", connections: [] });
  });

  it("comes back by itself when the edge has cut it", async () => {
    const origin = await lab.origin((_, response) => response.end("back"));
    const { id, token: given } = await lab.tunnel("again", origin.port);
    const connector = await lab.connector(given);
    await connector.ready();
    const refused = await lab.api("DELETE", `${ACCOUNT}/cfd_tunnel/${id}`);
    expect([refused.status, refused.body.errors]).toEqual([
      400,
      [{ code: 1022, message: "Cannot delete tunnel because it has active connections" }],
    ]);
    await lab.api("DELETE", `${ACCOUNT}/cfd_tunnel/${id}/connections`);
    await connector.said(/Serve tunnel error/);
    await until(async () => (await lab.get("again")).status === 200, 60_000, 100);
    expect((await lab.get("again")).body).toBe("back");
    const cascade = await lab.api("DELETE", `${ACCOUNT}/cfd_tunnel/${id}?cascade=true`);
    expect(cascade.status).toBe(200);
  });

  it("answers 502 for an origin that is not there, and serves it once it is", async () => {
    const { token: given } = await lab.tunnel("late", 1);
    const connector = await lab.connector(given);
    await connector.ready();
    expect((await lab.get("late")).status).toBe(502);
    await connector.said(/Unable to reach the origin service\. .*originService=http:\/\/127/);
    expect((await connector.metrics("/metrics")).body).toMatch(
      /^cloudflared_tunnel_request_errors 1$/m,
    );
  });

  it("hands an answer on that came before the request was read", async () => {
    const origin = await lab.origin((_, response) => {
      response.writeHead(413, { connection: "close" });
      response.end("too much");
    });
    const { token: given } = await lab.tunnel("early", origin.port);
    await (await lab.connector(given)).ready();
    const big = Buffer.alloc(8 * 1024 * 1024);
    const { status, body } = await lab.get("early", "/", { method: "POST" }, big);
    expect([status, body]).toEqual([413, "too much"]);
    expect((await lab.get("early")).status).toBe(413);
  });

  it("answers HEAD, 204 and an empty body as they are", async () => {
    const origin = await lab.origin((request, response) => {
      if (request.url === "/none") response.writeHead(204).end();
      else response.writeHead(200, { "content-length": "5" }).end("12345");
    });
    const { token: given } = await lab.tunnel("empty", origin.port);
    await (await lab.connector(given)).ready();
    const head = await lab.get("empty", "/", { method: "HEAD" });
    expect([head.status, head.headers["content-length"], head.body]).toEqual([200, "5", ""]);
    expect((await lab.get("empty", "/none")).status).toBe(204);
    expect((await lab.get("empty")).body).toBe("12345");
  });

  it("falls back to http2 where no datagram comes back, unless it is told quic", async () => {
    const { token: given } = await lab.tunnel("udp", 1);
    const auto = await lab.connector(given, "--protocol", "auto");
    await auto.said(/Registered tunnel connection .*protocol=quic/);
    const fallen = await lab.connectorTo(1, given, "--protocol", "auto");
    await fallen.said(/Switching to fallback protocol http2/);
    const stubborn = await lab.connectorTo(1, given, "--protocol", "quic");
    await stubborn.said(/Failed to dial a quic connection[^]*Retrying connection in up to/);
    expect(stubborn.stderr).not.toContain("Switching to fallback");
  });
});
