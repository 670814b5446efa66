import { comparePrepare } from "../../payload/compare";
import { sha256 } from "../../payload/digest";
import { type SupportFact, type ToolFact } from "../../payload/facts";
import { EMPTY_PART } from "../../payload/hostPart";
import { renderActivate, renderPrepare } from "../../payload/render";
import { type RenderedService, type SupportService, type Tool } from "../../payload/spec";
import { factsInOrder } from "./facts";
import { planOf } from "./plans";

const activate = renderActivate(planOf(), { inventory: null, clusterToken: null });

describe("tools and support services", () => {
  const source = { url: "https://vendor.example/t", sha256: "a".repeat(64), member: null };
  const tool: Tool = { name: "t", version: "2", sources: { x86_64: source, aarch64: source } };
  const support: SupportService = {
    name: "web",
    argv: ["/opt/ringrift-p2p/bin/t"],
    environment: {},
    user: "root",
    tools: ["t"],
    files: [],
    secrets: {},
    ready: null,
    readySeconds: 10,
    cutsOff: false,
  };
  const part = { ...EMPTY_PART, tools: [tool], services: [support] };
  const wanted = renderPrepare(planOf(), { inventory: null, clusterToken: null, parts: [part] });
  const [rendered] = wanted.services as [RenderedService];
  const toolFact: ToolFact = { version: "2", digest: "a".repeat(64), intact: true };
  const supportFact: SupportFact = {
    state: "running",
    enabled: true,
    pid: 9,
    startedAt: 1,
    restarts: 0,
    detail: "active (running)",
    alterations: [],
    stale: false,
    digest: rendered.digest,
    file: { kind: "file", digest: sha256(rendered.service), mode: "0644", owner: "root" },
    ready: true,
    lastError: null,
  };
  const drift = (tools: Record<string, ToolFact>, services: Record<string, SupportFact>) =>
    comparePrepare(wanted, { ...factsInOrder(wanted, activate), tools, services });

  it("are in order as they were asked for", () => {
    expect(drift({ t: toolFact }, { web: supportFact })).toEqual([]);
  });

  it.each([
    ["absent", {}, { want: "2", is: "absent" }],
    ["older", { t: { ...toolFact, version: "1" } }, { want: "2", is: "1" }],
    [
      "changed",
      { t: { ...toolFact, intact: false, digest: null } },
      { want: "2", is: "its binary was changed" },
    ],
    [
      "from elsewhere",
      { t: { ...toolFact, digest: "b".repeat(64) } },
      { want: "2", is: "2 of another checksum" },
    ],
  ])("show a tool that is %s", (_, tools, item) => {
    expect(drift(tools, { web: supportFact })).toEqual([{ what: "t", ...item }]);
  });

  it.each([
    ["absent", {}, "service web", "running", "absent"],
    [
      "crashed",
      { state: "restarting", lastError: "OSError: no" },
      "service web",
      "running",
      "restarting: OSError: no",
    ],
    ["stopped", { state: "stopped" }, "service web", "running", "stopped: active (running)"],
    ["older", { digest: "0123" }, "service web", rendered.digest, "0123"],
    ["edited", { digest: null }, "service web", rendered.digest, "edited"],
    ["without its unit", { file: null }, "service web file", "present", "absent"],
    ["not started at boot", { enabled: false }, "service web at boot", "enabled", "not enabled"],
    [
      "not ready",
      { ready: false, lastError: "status 503" },
      "service web",
      "ready",
      "not ready: status 503",
    ],
  ] as const)("show a service that is %s", (name, changes, what, want, is) => {
    const services: Record<string, SupportFact> =
      name === "absent" ? {} : { web: { ...supportFact, ...changes } };
    expect(drift({ t: toolFact }, services)).toEqual([{ what, want, is }]);
  });

  it("show what changes a service beside its file, and what its manager has not read", () => {
    const item = {
      what: "/x.conf",
      want: "absent",
      is: "overrides the unit",
      detail: "-[Service]",
    };
    const web = (changes: Partial<SupportFact>) =>
      drift({ t: toolFact }, { web: { ...supportFact, ...changes } });
    expect(web({ alterations: [item], stale: true })).toEqual([item]);
    expect(web({ alterations: [item], digest: null })).toEqual([item]);
    expect(web({ stale: true })).toEqual([
      { what: "service web file", want: "read", is: "changed since systemd has read it" },
    ]);
  });

  it("show what an earlier wish has left", () => {
    const tools = { t: toolFact, old: toolFact };
    const services = { web: supportFact, former: supportFact };
    expect(drift(tools, services)).toEqual([
      { what: "old", want: "absent", is: "installed" },
      { what: "service former", want: "absent", is: "running" },
    ]);
  });
});
