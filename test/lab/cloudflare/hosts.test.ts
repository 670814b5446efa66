import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CloudflareLab, CONNECTOR_VERSIONS } from "../../../lab/fleet/cloudflare";
import { Lab } from "../../../lab/fleet/lab";
import { machineFacts, whyNoLab } from "../../../lab/fleet/machineCheck";
import { until } from "../../../lab/fleet/until";
import { pinned, tracesOf, unpin } from "../hosts/traces";

const why = whyNoLab(machineFacts());
const onLab = why === null ? describe : describe.skip;
const title = why === null ? "hosts with Cloudflare" : `hosts with Cloudflare (skipped: ${why})`;

// A cold cache is filled first: packages, base root, wheels.
jest.setTimeout(900_000);

type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any

/** A program that answers with its host's name, as the daemon does with its node id. */
const ORIGIN = `
import http.server, socket
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        seen = [name for name in self.headers if name.lower().startswith("cf-access")]
        body = ("%s %s %s" % (socket.gethostname(), self.path, seen)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("127.0.0.1", 8770), Handler).serve_forever()
`;

onLab(title, () => {
  let folder: string;
  let lab: Lab;
  let cloudflare: CloudflareLab;
  const id = `t${randomBytes(3).toString("hex")}`;

  /** Runs a command on a host. @throws Error when it fails */
  const on = async (host: string, command: string): Promise<string> => {
    const { code, stdout, stderr } = await lab.ssh(host, command, { timeout: 300_000 });
    if (code !== 0) throw new Error(`${host}: ${command}: ${code} ${stderr}`);
    return stdout.trim();
  };
  /** Asks the API from within the lab's network. */
  const api = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const argv = [
      ...["curl", "-s", "-X", method, "-H", `Authorization: Bearer ${cloudflare.apiToken}`],
      ...(body === undefined ? [] : ["-d", JSON.stringify(body)]),
    ];
    const { stdout } = await lab.exec([...argv, cloudflare.apiUrl + path]);
    return JSON.parse(stdout) as Json;
  };
  const account = (): string => `/accounts/${cloudflare.accountId}`;
  /** Status and body of a URL, as a host gets it. */
  const get = async (host: string, url: string, ...options: string[]): Promise<string> =>
    on(
      host,
      ["curl", "-s", "-m", "120", "-w", "'|%{http_code}'", ...options, `'${url}'`].join(" "),
    );
  const files = `http://10.77.0.1:8080/mirror/cloudflare/cloudflared/releases/download`;

  /** A tunnel for a host of the same name, with a record and a token file on that host. */
  const makeTunnel = async (name: string): Promise<string> => {
    const hostname = `${name}.${cloudflare.zone}`;
    const made = await api("POST", `${account()}/cfd_tunnel`, { name, config_src: "cloudflare" });
    const tunnel = `${account()}/cfd_tunnel/${made.result.id}`;
    const ingress = [
      { hostname, path: "^/(health|status)$", service: "http://localhost:8770" },
      { service: "http_status:404" },
    ];
    await api("PUT", `${tunnel}/configurations`, { config: { ingress } });
    await api("POST", `/zones/${cloudflare.zoneId}/dns_records`, {
      ...{ type: "CNAME", name: hostname, content: `${made.result.id}.cfargotunnel.com` },
      ...{ proxied: true, ttl: 1 },
    });
    const { result: token } = await api("GET", `${tunnel}/token`);
    await lab.ssh(name, "umask 077; cat > /root/token", { input: String(token) });
    return tunnel;
  };
  const startConnector = async (host: string): Promise<void> => {
    const flags = "tunnel --no-autoupdate --metrics 127.0.0.1:20241 run --token-file /root/token";
    await on(host, `setsid /root/cloudflared ${flags} > /root/log 2>&1 < /dev/null & true`);
    await on(
      host,
      "for i in $(seq 900); do curl -sf http://127.0.0.1:20241/ready && exit; sleep 0.2; done; exit 1",
    );
  };
  const stopConnector = (host: string): Promise<string> =>
    on(
      host,
      "kill $(pgrep -f '^python3 /root/cloudflared'); while pgrep -f '^python3 /root/cloudflared' >/dev/null; do sleep 0.1; done",
    );

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "cloudflare-hosts-"));
    writeFileSync(join(folder, "machines.yaml"), "{}\n");
    const inventory = join(__dirname, "cloudflareHosts.yaml");
    const machines = join(folder, "machines.yaml");
    lab = await Lab.up({ id, inventory, machines, with: ["cloudflare"] });
    const found = lab.cloudflare();
    if (found === null) throw new Error("the lab has no Cloudflare");
    cloudflare = found;
    await Promise.all(
      ["t1", "t2"].map(async (host) => {
        await lab.ssh(host, "cat > /root/origin.py", { input: ORIGIN });
        await on(host, "setsid python3 /root/origin.py > /dev/null 2>&1 < /dev/null & true");
      }),
    );
  });

  afterAll(async () => {
    await lab?.down();
    rmSync(folder, { recursive: true });
  });

  it("gives hosts a connector of the vendor's name and layout, that says what it is", async () => {
    const [version = ""] = CONNECTOR_VERSIONS;
    for (const host of ["t1", "t2"]) {
      const path = `${files}/${version}/cloudflared-linux-amd64`;
      await on(host, `curl -sf -o /root/cloudflared ${path} && chmod 755 /root/cloudflared`);
      const sum = await on(host, "sha256sum /root/cloudflared");
      expect(sum.split(" ")[0]).toBe(cloudflare.checksums[version]?.x86_64);
    }
    expect(await on("t1", "/root/cloudflared --version")).toBe(
      `cloudflared version ${version} (built 2026-01-01-00:00 UTC; the fleet lab's stand-in, not Cloudflare's program)`,
    );
  });

  it("reaches a container without inbound ports by its name, from another host", async () => {
    const tunnel = await makeTunnel("t1");
    expect(await get("t2", "https://t1.fleet.example/health")).toBe("error code: 1033\n|530");
    await startConnector("t1");
    expect(await get("t2", "https://t1.fleet.example/health")).toBe("t1 /health []|200");
    const program =
      "import urllib.request as u; print(u.urlopen('https://t1.fleet.example/status').read())";
    expect(await on("t2", `python3 -c "${program}"`)).toBe("b't1 /status []'");
    // Only the paths that the rules name.
    expect(await get("t2", "https://t1.fleet.example/admin")).toBe("|404");
    // It is ready with the first of them.
    const isWhole = async () => {
      const { result } = await api("GET", tunnel);
      return result.status === "healthy" && result.connections.length === 4;
    };
    expect(await until(isWhole, 120_000, 200)).toBe(true);
  });

  it("knows no other name", async () => {
    const { code } = await lab.ssh("t2", "curl -s https://nobody.fleet.example/");
    // curl: could not resolve host.
    expect(code).toBe(6);
    const there = "nobody.fleet.example:443:10.77.0.1";
    const answer = await get("t2", "https://nobody.fleet.example/", "--resolve", there);
    expect(answer).toBe("error code: 1001\n|404");
    // One level deep, as Universal SSL has it.
    const deep = "a.b.fleet.example:443:10.77.0.1";
    const refused = await lab.ssh("t2", `curl -s --resolve ${deep} https://a.b.fleet.example/`);
    // curl: the TLS handshake failed.
    expect(refused.code).toBe(35);
  });

  it("asks for the service token where Access protects a name", async () => {
    const access = `${account()}/access`;
    const { result: token } = await api("POST", `${access}/service_tokens`, { name: "fleet" });
    const { result: policy } = await api("POST", `${access}/policies`, {
      ...{ name: "fleet", decision: "non_identity" },
      include: [{ service_token: { token_id: token.id } }],
    });
    const { result: app } = await api("POST", `${access}/apps`, {
      ...{ name: "t1", type: "self_hosted" },
      destinations: [{ type: "public", uri: "t1.fleet.example" }],
      policies: [{ id: policy.id, precedence: 1 }],
    });
    const url = "https://t1.fleet.example/health";
    const headers = [
      ...["-H", `'CF-Access-Client-Id: ${token.client_id}'`],
      ...["-H", `'CF-Access-Client-Secret: ${token.client_secret}'`],
    ];
    expect(await get("t2", url)).toMatch(/\|403$/);
    expect(await get("t2", url, ...headers)).toBe("t1 /health []|200");
    await api("DELETE", `${access}/apps/${app.id}`);
    expect(await get("t2", url)).toBe("t1 /health []|200");
  });

  it("is seen in the lab's status", async () => {
    expect(await lab.cloudflareStatus()).toEqual({
      ...{ url: cloudflare.apiUrl, state: "up", tunnels: 1, connected: 1 },
    });
  });

  it("answers 530 for the name of a stopped connector, and for no other", async () => {
    const first = (await api("GET", `${account()}/cfd_tunnel?name=t1`)).result[0];
    await makeTunnel("t2");
    await startConnector("t2");
    const refused = await api("DELETE", `${account()}/cfd_tunnel/${first.id}`);
    expect(refused.errors).toEqual([
      { code: 1022, message: "Cannot delete tunnel because it has active connections" },
    ]);
    await stopConnector("t1");
    // The edge hears of it a moment later.
    const isGone = async () =>
      (await get("t2", "https://t1.fleet.example/health").catch(String)) ===
      "error code: 1033\n|530";
    expect(await until(isGone, 120_000, 200)).toBe(true);
    expect(await get("t1", "https://t2.fleet.example/health")).toBe("t2 /health []|200");
    expect((await api("DELETE", `${account()}/cfd_tunnel/${first.id}`)).success).toBe(true);
  });

  it("leaves nothing when it is killed", async () => {
    const init = lab.init;
    const namespaces = pinned(init);
    process.kill(init, "SIGKILL");
    const gone = await until(() => tracesOf(id, namespaces).length === 0, 300_000, 200);
    expect([gone, tracesOf(id, namespaces)]).toEqual([true, []]);
    unpin();
  });
});
