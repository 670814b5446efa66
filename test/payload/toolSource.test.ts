import { type PrepareSpec } from "../../payload/spec";
import { tailnetPart } from "../../payload/tailnetPart";
import { whyNoTool } from "../../payload/toolSource";
import { planOf } from "./plans";

const X86_ONLY = { x86_64: "a".repeat(64), aarch64: null };
const specWith = (sha256: { x86_64: string | null; aarch64: string | null }) => {
  const { tools } = tailnetPart(planOf(), undefined, { version: "1.102.2", sha256, mirror: null });
  return { state: "present", tools } as unknown as PrepareSpec;
};

describe("whyNoTool", () => {
  it.each(["x86_64", "amd64"])("is nothing where there is a checksum: %s", (arch) => {
    expect(whyNoTool(specWith(X86_ONLY), { arch })).toBeUndefined();
  });

  it.each(["aarch64", "arm64"])("names the key that an %s host misses", (arch) => {
    expect(whyNoTool(specWith(X86_ONLY), { arch })).toBe(
      `p2p:tailnet.sha256.aarch64 is not set, and this host is ${arch}: it cannot get tailscale 1.102.2`,
    );
  });

  it("says that nobody builds it for another machine", () => {
    expect(whyNoTool(specWith(X86_ONLY), { arch: "riscv64" })).toBe(
      "there is no tailscale for its machine type, riscv64",
    );
  });

  it("asks nothing of a host that is left, or that needs no tools", () => {
    const absent = { state: "absent", node: "h4" } as PrepareSpec;
    expect(whyNoTool(absent, { arch: "riscv64" })).toBeUndefined();
    const none = { state: "present", tools: [] } as unknown as PrepareSpec;
    expect(whyNoTool(none, { arch: "riscv64" })).toBeUndefined();
  });

  it("writes no empty checksum into what a host is told", () => {
    expect(JSON.stringify(specWith(X86_ONLY))).not.toMatch(/"sha256":""|aarch64/);
  });
});
