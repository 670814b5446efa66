import { Loopback } from "./loopback";

jest.setTimeout(60_000);

let lab: Loopback;

beforeAll(async () => {
  lab = await Loopback.start();
});

afterAll(async () => {
  await lab.close();
});

describe("the edge", () => {
  it("answers a name from its own tunnel", async () => {
    const origin = await lab.origin((request, response) => {
      response.setHeader("x-origin", "n1");
      response.end(`${request.method} ${request.url} ${request.headers.host}`);
    });
    const { token } = await lab.tunnel("n1", origin.port);
    expect((await lab.get("n1")).status).toBe(530);
    const connector = await lab.connector(token);
    await connector.ready();
    const { status, body, headers } = await lab.get("n1", "/health?x=1");
    expect([status, body, headers["x-origin"], headers["server"]]).toEqual([
      200,
      "GET /health?x=1 n1.fleet.example",
      "n1",
      "cloudflare",
    ]);
    expect(await connector.stop()).toBe(0);
    expect(await lab.get("n1")).toMatchObject({ status: 530, body: "error code: 1033\n" });
  });
});
