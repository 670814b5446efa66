import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  normalizeProject,
  packageServer,
  projectOf,
  renderIndex,
  renderProject,
} from "../../../lab/fleet/packageServer";

const WHEELS = [
  "aiohttp_socks-0.10-py3-none-any.whl",
  "PyYAML-6.0-cp311-cp311-linux_x86_64.whl",
  "pyyaml-5.0-cp311-cp311-linux_x86_64.whl",
];

describe("the index's names", () => {
  it.each([
    ["PyYAML", "pyyaml"],
    ["a.b__C-d", "a-b-c-d"],
  ])("%s is %s", (name, normal) => {
    expect(normalizeProject(name)).toBe(normal);
  });

  it("come from the wheels' file names", () => {
    expect(WHEELS.map(projectOf)).toEqual(["aiohttp-socks", "pyyaml", "pyyaml"]);
  });
});

describe("the index's pages", () => {
  it("name each project once", () => {
    expect(renderIndex(WHEELS).match(/<a .*/g)).toEqual([
      '<a href="/simple/aiohttp-socks/">aiohttp-socks</a><br>',
      '<a href="/simple/pyyaml/">pyyaml</a><br>',
    ]);
  });

  it("list a project's wheels under any spelling of its name", () => {
    expect(renderProject(WHEELS, "Aiohttp.Socks")?.match(/<a .*/g)).toEqual([
      `<a href="/wheels/${WHEELS[0]}">${WHEELS[0]}</a><br>`,
    ]);
    expect(renderProject(WHEELS, "aiohttp")).toBeNull();
  });
});

describe("packageServer", () => {
  let dir: string;
  let server: Server;
  let base: string;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "packages-"));
    for (const name of ["wheels", "debs", "mirror/vendor/1.0", "gone"])
      mkdirSync(join(dir, name), { recursive: true });
    WHEELS.forEach((name) => writeFileSync(join(dir, "wheels", name), `wheel ${name}`));
    writeFileSync(join(dir, "debs", "Packages"), "Package: x\n");
    writeFileSync(join(dir, "secret"), "secret");
    writeFileSync(join(dir, "mirror/vendor/1.0/tool"), "tool");
    const folder = (name: string): string => join(dir, name);
    const args = {
      wheels: folder("wheels"),
      debs: folder("debs"),
      mirror: folder("mirror"),
      gone: folder("gone"),
    };
    server = packageServer(args);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(dir, { recursive: true });
  });

  it.each([
    ["/simple/pyyaml/", 200],
    ["/simple/nothing/", 404],
    [`/wheels/${WHEELS[0]}`, 200],
    ["/wheels/other.whl", 404],
    ["/debs/./Packages", 200],
    ["/debs/nothing.deb", 404],
    ["/debs/", 404],
    ["/debs/..%2Fsecret", 404],
    ["/mirror/vendor/1.0/tool", 200],
    ["/mirror/vendor/1.0", 404],
    ["/mirror/vendor/1.0/other", 404],
    ["/mirror/..%2Fsecret", 404],
    ["/mirror/", 404],
    ["/%2e%2e/secret", 404],
    ["/%", 404],
    ["/", 404],
  ])("answers %s with %i", async (path, status) => {
    const response = await fetch(base + path);
    await response.text();
    expect(response.status).toBe(status);
  });

  it("gives a file as it is", async () => {
    const response = await fetch(`${base}/wheels/${WHEELS[1]}`);
    expect(await response.text()).toBe(`wheel ${WHEELS[1]}`);
  });

  it("is gone for the addresses it is to be gone for, and back afterwards", async () => {
    const flag = join(dir, "gone", "127.0.0.1");
    writeFileSync(flag, "");
    await expect(fetch(`${base}/simple/`)).rejects.toThrow("fetch failed");
    rmSync(flag);
    expect((await fetch(`${base}/simple/`)).status).toBe(200);
  });
});
