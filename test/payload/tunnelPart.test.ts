import { ACCESS_TOKEN, ENTRY_TOKEN, TUNNEL_TOKEN, tunnelPart } from "../../payload/tunnelPart";

const OPTIONS = {
  version: "2026.8.2",
  sha256: { x86_64: "a".repeat(64), aarch64: "b".repeat(64) },
  mirror: null,
  protocol: "auto",
  user: "ubuntu",
  container: false,
  token: { content: "the token", digest: "d1" },
  entryToken: undefined,
  accessToken: undefined,
} as const;

describe("tunnelPart", () => {
  it("brings the pinned tool, one connector and its token file", () => {
    expect(tunnelPart(OPTIONS)).toEqual({
      tools: [
        {
          name: "cloudflared",
          version: "2026.8.2",
          sources: {
            x86_64: {
              url: "https://github.com/cloudflare/cloudflared/releases/download/2026.8.2/cloudflared-linux-amd64",
              sha256: "a".repeat(64),
              member: null,
            },
            aarch64: {
              url: "https://github.com/cloudflare/cloudflared/releases/download/2026.8.2/cloudflared-linux-arm64",
              sha256: "b".repeat(64),
              member: null,
            },
          },
        },
      ],
      files: [],
      services: [
        {
          name: "cloudflared",
          argv: [
            "/opt/ringrift-p2p/bin/cloudflared",
            "tunnel",
            "--no-autoupdate",
            ...["--retries", "3"],
            "--metrics",
            "127.0.0.1:20241",
            "run",
            "--token-file",
            TUNNEL_TOKEN,
          ],
          environment: {},
          user: "ubuntu",
          tools: ["cloudflared"],
          files: [],
          secrets: { [TUNNEL_TOKEN]: "d1" },
          ready: { url: "http://127.0.0.1:20241/ready" },
          readySeconds: 60,
          cutsOff: false,
        },
      ],
      secrets: [{ path: TUNNEL_TOKEN, owner: "ubuntu", content: "the token", digest: "d1" }],
      pythonWanted: {},
      environment: {},
    });
  });

  it("adds the entry's connector with a port and a token of its own, and the fleet's Access token", () => {
    const part = tunnelPart({
      ...OPTIONS,
      entryToken: { content: "the entry's", digest: "d2" },
      accessToken: { content: "{}", digest: "d3" },
    });
    expect(part.services.map(({ name, argv, secrets }) => [name, argv[6], secrets])).toEqual([
      ["cloudflared", "127.0.0.1:20241", { [TUNNEL_TOKEN]: "d1" }],
      ["entry", "127.0.0.1:20242", { [ENTRY_TOKEN]: "d2" }],
    ]);
    // A new Access token restarts no connector.
    expect(part.secrets.map(({ path, digest }) => [path, digest])).toEqual([
      [TUNNEL_TOKEN, "d1"],
      [ENTRY_TOKEN, "d2"],
      [ACCESS_TOKEN, "d3"],
    ]);
  });

  it("stands for a token that is not there yet by what equals no digest", () => {
    const { services, secrets } = tunnelPart({ ...OPTIONS, token: null });
    expect(services[0]?.secrets).toEqual({ [TUNNEL_TOKEN]: "pending" });
    expect(secrets).toEqual([
      { path: TUNNEL_TOKEN, owner: "ubuntu", content: "", digest: "pending" },
    ]);
  });

  it.each([
    ["auto", false, []],
    ["auto", true, ["--protocol", "http2"]],
    ["http2", false, ["--protocol", "http2"]],
    ["quic", true, ["--protocol", "quic"]],
  ] as const)("with protocol %s, in a container: %s, gives %j", (protocol, container, words) => {
    const argv = tunnelPart({ ...OPTIONS, protocol, container }).services[0]?.argv;
    expect(argv?.slice(8, -2)).toEqual(words);
  });

  it("takes the tool from a mirror by the vendor's path, and puts no token into argv", () => {
    const part = tunnelPart({ ...OPTIONS, mirror: "https://mirror.example/tools" });
    expect(part.tools[0]?.sources.x86_64?.url).toBe(
      "https://mirror.example/tools/cloudflare/cloudflared/releases/download/2026.8.2/cloudflared-linux-amd64",
    );
    expect(JSON.stringify(part.services)).not.toContain("the token");
  });
});
