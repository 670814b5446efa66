import { EMPTY_PART } from "../../payload/hostPart";
import { renderActivate, renderPrepare, type RenderOptions } from "../../payload/render";
import { renderSupport } from "../../payload/renderService";
import {
  type HostPart,
  type ManagedFile,
  type SupportService,
  type Tool,
} from "../../payload/spec";
import { expectGolden } from "./golden";
import { planOf } from "./plans";

const tool = (version: string): Tool => {
  const source = {
    url: `https://vendor.example/${version}.tgz`,
    sha256: "0".repeat(64),
    member: "t",
  };
  return { name: "web", version, sources: { x86_64: source, aarch64: source } };
};
const file = (digest: string): ManagedFile => ({
  path: "/etc/web.conf",
  text: "x",
  digest,
  mode: "0644",
  owner: "root",
});
const service: SupportService = {
  name: "web",
  argv: ["/opt/ringrift-p2p/bin/web", "--port", "8099"],
  environment: { A: "1" },
  user: "root",
  tools: ["web"],
  files: ["/etc/web.conf"],
  secrets: { "/etc/web.token": "d1" },
  ready: { url: "http://127.0.0.1:8099/" },
  readySeconds: 20,
  cutsOff: false,
};
const part: HostPart = {
  ...EMPTY_PART,
  tools: [tool("1")],
  files: [file("a")],
  services: [service],
};
const options: RenderOptions = { inventory: null, clusterToken: null };

describe("renderSupport", () => {
  it.each([
    ["systemd", "support-unit.service"],
    ["supervisord", "support-program.conf"],
    ["own", "support-program.conf"],
    ["launchd", "support-job.plist"],
  ] as const)("writes the text for %s", (manager, name) => {
    expectGolden(name, renderSupport(manager, service, part).service);
  });

  it("has its own pause after a crash where it says so, which restarts nothing", () => {
    const quick = renderSupport("systemd", { ...service, restartSeconds: 1 }, part);
    const usual = renderSupport("systemd", service, part);
    expect(usual.service).toContain("RestartSec=5\n");
    expect(quick).toEqual({
      ...usual,
      service: usual.service.replace("RestartSec=5\n", "RestartSec=1\n"),
    });
  });

  const digest = (changed: Partial<SupportService>, own: HostPart = part): string =>
    renderSupport("systemd", { ...service, ...changed }, own).digest;

  it.each([
    ["its command", digest({ argv: ["/opt/ringrift-p2p/bin/web"] })],
    ["its environment", digest({ environment: { A: "2" } })],
    ["its user", digest({ user: "nobody" })],
    ["a secret", digest({ secrets: { "/etc/web.token": "d2" } })],
    ["a tool's version", digest({}, { ...part, tools: [tool("2")] })],
    ["a file", digest({}, { ...part, files: [file("b")] })],
  ])("gives another digest, hence a restart, for another %s", (_, other) => {
    expect(other).not.toBe(digest({}));
  });

  it("restarts nothing for how its readiness is asked", () => {
    expect(digest({ ready: null, readySeconds: 5, cutsOff: true })).toBe(digest({}));
  });

  it.each(["node", "Web", "a b", "x]\n[program:y"])("refuses the name %j", (name) => {
    expect(() => renderSupport("own", { ...service, name }, part)).toThrow(
      `${JSON.stringify(name)} cannot be the name of a support service`,
    );
  });

  it("refuses a tool or file that nobody brings, which would never start", () => {
    expect(() => renderSupport("own", service, EMPTY_PART)).toThrow(
      "service web: no part brings web",
    );
  });
});

describe("a host with parts", () => {
  it("carries them in prepare", () => {
    const prepare = renderPrepare(planOf(), { ...options, parts: [part] });
    expect(prepare).toEqual({
      ...renderPrepare(planOf(), options),
      tools: [tool("1")],
      files: [file("a")],
      services: [renderSupport("systemd", service, part)],
    });
  });

  it("has the same release as one without, unless a part speaks to the daemon", () => {
    const bare = renderActivate(planOf(), options);
    expect(renderActivate(planOf(), { ...options, parts: [part] })).toEqual(bare);
    const spoken = { ...part, environment: { ALL_PROXY: "socks5://127.0.0.1:1055" } };
    const other = renderActivate(planOf(), { ...options, parts: [spoken] });
    expect(other.release.launch.environment).toEqual({
      ...bare.release.launch.environment,
      ALL_PROXY: "socks5://127.0.0.1:1055",
    });
    expect(other.digest).not.toBe(bare.digest);
  });
});
