import * as fs from "node:fs";
import type * as http from "node:http";
import * as path from "node:path";
import { Readable } from "node:stream";
import { eventually } from "../eventually";
import { ask, type Answer, cleanUp, pair, type Pair, temporaryFolder } from "./forwarders";
afterAll(cleanUp);

/** A host's releases and token files, as the agent leaves them. */
class Host {
  private readonly folder = temporaryFolder();
  readonly releaseFile = path.join(this.folder, "current", "release.json");
  readonly tokenPrefix = path.join(this.folder, "cluster-token-");

  file(token: string): string {
    const file = `${this.tokenPrefix}${token}`;
    fs.writeFileSync(file, token, { mode: 0o600 });
    return file;
  }

  /** Makes a release that names the token, and switches to it. */
  switch(token: string | null, digest = `r-${token}`): void {
    const release = path.join(this.folder, digest);
    fs.mkdirSync(release, { recursive: true });
    const environment =
      token === null ? {} : { RINGRIFT_CLUSTER_AUTH_TOKEN_FILE: this.file(token) };
    fs.writeFileSync(
      path.join(release, "release.json"),
      JSON.stringify({ launch: { environment } }),
    );
    const aside = path.join(this.folder, "current.new");
    fs.symlinkSync(digest, aside);
    fs.renameSync(aside, path.join(this.folder, "current"));
  }

  settings(): Record<string, string> {
    return { releaseFile: this.releaseFile, tokenPrefix: this.tokenPrefix };
  }
}

/** What b's daemon asks for; null: nothing. */
let asked: string | null = null;
const handle = (request: http.IncomingMessage, response: http.ServerResponse): boolean => {
  const bearer = request.headers.authorization?.replace("Bearer ", "");
  const given = bearer ?? request.headers["x-ringrift-auth"];
  if (asked === null || given === asked) return false;
  request.resume();
  response.writeHead(401).end('{"error": "unauthorized"}');
  return true;
};

describe("a forwarder in front of a daemon that asks for a token", () => {
  const [hostA, hostB] = [new Host(), new Host()];
  let mesh: Pair;
  const send = (token: string | null, more: Parameters<typeof ask>[2] = {}): Promise<Answer> =>
    ask(mesh.toB.host, mesh.toB.port, {
      ...{ method: "POST", path: "/heartbeat", body: "{}" },
      ...more,
      headers: token === null ? {} : { Authorization: `Bearer ${token}`, "X-RingRift-Auth": token },
    });
  const lends = async (side: "a" | "b"): Promise<unknown> => {
    const { lendsToken, tokenProblem } = (await mesh[side].status()) as unknown as Record<
      string,
      unknown
    >;
    return [lendsToken, tokenProblem];
  };

  beforeAll(async () => {
    hostA.switch("old");
    hostB.switch("old");
    mesh = await pair({ own: hostA.settings(), ownB: hostB.settings(), handle });
  });
  beforeEach(() => mesh.daemonB.seen.splice(0));

  it("gives a member the token that the daemon asks for, whatever the member's own is", async () => {
    asked = "old";
    for (const token of ["old", "another", null]) expect((await send(token)).status).toBe(200);
    expect((await send("another", { method: "GET", path: "/relay/peers" })).status).toBe(200);
    expect(mesh.daemonB.seen.map(({ headers }) => headers["x-ringrift-auth"])).toEqual(
      Array(4).fill(undefined),
    );
    expect(await lends("b")).toEqual([true, null]);
  });

  it("gives nobody anything who is not signed in", async () => {
    const answer = await ask("127.0.0.1", mesh.b.inbound, { method: "POST", path: "/heartbeat" });
    expect(answer.status).toBe(401);
    expect(mesh.daemonB.seen).toEqual([]);
  });

  it("refuses nothing at any moment of a rotation, whichever of the two daemons still runs", async () => {
    asked = "old";
    hostB.file("new");
    expect((await send(null)).status).toBe(200);
    hostB.switch("new");
    // The daemon from before is about to be stopped.
    for (let count = 0; count < 5; count += 1) expect((await send("old")).status).toBe(200);
    await eventually(async () => {
      await send(null);
      expect(mesh.daemonB.seen.at(-1)?.headers.authorization).toBe("Bearer old");
      return true;
    });
    asked = "new";
    for (let count = 0; count < 5; count += 1) expect((await send("old")).status).toBe(200);
    fs.rmSync(`${hostB.tokenPrefix}old`);
    expect((await send("old")).status).toBe(200);
    // And back, as a release does that does not get healthy.
    hostB.switch("old", "r-old");
    asked = "old";
    expect((await send(null)).status).toBe(200);
    hostB.switch("new");
    asked = "new";
    expect((await send(null)).status).toBe(200);
  });

  it("refuses no body that is too large to be sent twice, at any moment of a rotation", async () => {
    const large = async (chunked = false): Promise<unknown> => {
      const text = Buffer.alloc(300_000, "x");
      const body = chunked ? Readable.from([text.subarray(0, 9), text.subarray(9)]) : text;
      const { status, body: told } = await send("of its own", { path: "/gossip", body });
      return [status, status === 200 ? (JSON.parse(told) as { length: number }).length : told];
    };
    const passed = [200, 300_000];
    const bearers = () =>
      mesh.daemonB.seen.splice(0).map(({ url, headers }) => [url, headers.authorization]);
    hostB.file("old");
    hostB.switch("old", "r-old");
    asked = "old";
    expect((await send(null)).status).toBe(200);
    mesh.daemonB.seen.splice(0);
    expect(await large()).toEqual(passed);
    // It is asked by a request that leads nowhere, and then once.
    expect(bearers()).toEqual([
      ["/ringrift-p2p/token", "Bearer old"],
      ["/gossip", "Bearer old"],
    ]);
    hostB.switch("new");
    expect(await large()).toEqual(passed);
    asked = "new";
    for (const chunked of [false, true, false]) expect(await large(chunked)).toEqual(passed);
    hostB.switch(null);
    expect(await large()).toEqual(passed);
    asked = null;
    expect(await large()).toEqual(passed);
    asked = "nobody knows it";
    expect(await large()).toEqual([401, '{"error": "unauthorized"}']);
    hostB.switch("new");
    asked = "new";
    expect(await large()).toEqual(passed);
    expect(bearers().filter(([url]) => url === "/gossip")).toHaveLength(8);
  });

  it("asks for one from a host that has none yet, and from none to one and back", async () => {
    hostA.switch(null);
    hostB.file("new");
    asked = "new";
    expect((await send(null)).status).toBe(200);
    hostB.switch(null);
    expect((await send(null)).status).toBe(200);
    asked = null;
    expect((await send("of its own")).status).toBe(200);
    hostB.switch("new");
    asked = "new";
    expect((await send(null)).status).toBe(200);
  });

  it("keeps the sender's token from the way there once the sender's release has one", async () => {
    hostB.switch(null);
    hostA.switch(null);
    asked = null;
    const bearers = async (): Promise<string | undefined> => {
      await send("secret");
      return mesh.daemonB.seen.at(-1)?.headers.authorization;
    };
    // A token that is not the fleet's is not ours to take away.
    await eventually(async () => (await bearers()) === "Bearer secret" || undefined);
    hostA.switch("old");
    await eventually(async () => (await bearers()) === undefined || undefined);
  });

  it("passes on a refusal that no token of the host helps against, without asking forever", async () => {
    hostB.switch("new");
    asked = "nobody knows it";
    expect((await send("new")).status).toBe(401);
    expect(mesh.daemonB.seen.length).toBeLessThan(6);
    asked = "new";
    expect((await send(null)).status).toBe(200);
  });

  it("says that it cannot lend what it cannot read, and nothing of what it can", async () => {
    hostB.switch("new");
    const release = fs.readFileSync(hostB.releaseFile, "utf8");
    fs.rmSync(`${hostB.tokenPrefix}new`);
    await eventually(async () => {
      expect(await lends("b")).toEqual([
        false,
        expect.stringMatching(/^the daemon's token: .*No such file.*cluster-token-new'$/),
      ]);
      return true;
    });
    fs.writeFileSync(`${hostB.tokenPrefix}new`, "new");
    fs.writeFileSync(hostB.releaseFile, release);
    await eventually(async () => {
      expect(await lends("b")).toEqual([true, null]);
      return true;
    });
    expect(JSON.stringify([await mesh.b.status(), await mesh.b.events()])).not.toContain("Bearer");
  });
});

describe("a forwarder that is told of no release", () => {
  it("leaves the sender's token as it is, and does not say that it lends one", async () => {
    const mesh = await pair();
    asked = null;
    const headers = { Authorization: "Bearer kept" };
    await ask(mesh.toB.host, mesh.toB.port, { headers });
    expect(mesh.daemonB.seen[0]?.headers.authorization).toBe("Bearer kept");
    expect(await mesh.b.status()).toMatchObject({ lendsToken: false, tokenProblem: null });
  });
});
