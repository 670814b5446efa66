import { isNewEnough } from "../../lab/fleet/goToolchain";
import { stackConfig } from "../../lab/fleet/program";
import { labTailscaleVersion, tailscaleVersion } from "../../lab/fleet/tailnetCache";

describe("isNewEnough", () => {
  it.each([
    ["go version go1.26.5 linux/amd64", true],
    ["go version go1.26.8 linux/amd64", true],
    ["go version go1.27 linux/amd64", true],
    ["go version go2.0.1 linux/amd64", true],
    ["go version go1.26.4 linux/amd64", false],
    ["go version go1.26 linux/amd64", false],
    ["go version go1.19.8 linux/amd64", false],
    ["", false],
  ])("%j: %s", (printed, expected) => {
    expect(isNewEnough(printed)).toBe(expected);
  });
});

describe("tailscaleVersion", () => {
  it("reads the module's pin, among others or alone", () => {
    const many = "require (\n\tgithub.com/a/b v1.0.0\n\ttailscale.com v1.102.2\n)\n";
    expect([tailscaleVersion(many), tailscaleVersion("require tailscale.com v1.2.3\n")]).toEqual([
      "1.102.2",
      "1.2.3",
    ]);
    expect(() => tailscaleVersion("module x\n")).toThrow("no version of tailscale.com");
  });

  it("is that of the lab's own module", () => {
    expect(labTailscaleVersion()).toBe("1.102.2");
  });
});

describe("stackConfig with services", () => {
  it("adds what the services want, and lets the project's own settings of an object stand", () => {
    const project = "config:\n  p2p:tailnet:\n    version: 1.0.0 # ours\n    keyMinutes: 5\n";
    const services = {
      "tailscale:baseUrl": "http://10.77.0.1:8081",
      "p2p:tailnet": { version: "1.102.2", loginServer: "http://10.77.0.1:8081" },
    };
    expect(stackConfig(project, "/run/x.yaml", services)).toBe(
      `config:
  p2p:tailnet:
    version: 1.0.0
    loginServer: http://10.77.0.1:8081
    keyMinutes: 5
  p2p:inventory: /run/x.yaml
  tailscale:baseUrl: http://10.77.0.1:8081
`,
    );
  });
});
