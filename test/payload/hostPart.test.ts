import { EMPTY_PART, joinParts } from "../../payload/hostPart";
import { type HostPart, type SupportService, type Tool } from "../../payload/spec";

const source = { url: "https://vendor.example/t.tgz", sha256: "0".repeat(64), member: "t/t" };
const tool: Tool = { name: "t", version: "1.2.3", sources: { x86_64: source, aarch64: source } };
const service: SupportService = {
  name: "tailscaled",
  argv: ["/opt/ringrift-p2p/bin/t"],
  environment: {},
  user: "root",
  tools: ["t"],
  files: [],
  secrets: {},
  ready: null,
  readySeconds: 30,
  cutsOff: false,
};
const part = (changes: Partial<HostPart>): HostPart => ({ ...EMPTY_PART, ...changes });

describe("joinParts", () => {
  it("gives the empty part for none", () => {
    expect(joinParts([])).toEqual(EMPTY_PART);
  });

  it("keeps the order of the parts and of what is in them", () => {
    const other = { ...service, name: "cloudflared" };
    const joined = joinParts([
      part({ services: [service], environment: { B: "1" }, tools: [tool] }),
      part({ services: [other], environment: { A: "2" }, pythonWanted: { x: "x" } }),
    ]);
    expect(joined).toEqual({
      ...EMPTY_PART,
      tools: [tool],
      services: [service, other],
      environment: { B: "1", A: "2" },
      pythonWanted: { x: "x" },
    });
  });

  it("takes the same thing wanted twice once", () => {
    expect(joinParts([part({ tools: [tool] }), part({ tools: [{ ...tool }] })]).tools).toEqual([
      tool,
    ]);
  });

  it("refuses what two parts disagree about, without telling a secret", () => {
    const secret = (content: string) =>
      part({ secrets: [{ path: "/s", content, digest: "d", owner: "root" }] });
    expect(() => joinParts([secret("planted-1"), secret("planted-2")])).toThrow(
      "two parts of a host disagree about the secret file /s",
    );
    expect(() =>
      joinParts([part({ environment: { A: "1" } }), part({ environment: { A: "2" } })]),
    ).toThrow("two parts of a host disagree about the variable A");
  });
});
