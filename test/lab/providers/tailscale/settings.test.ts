import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSettings } from "../../../../lab/providers/tailscale/settings";

describe("readSettings", () => {
  it("takes the stack's values before the environment's", () => {
    const env = {
      TAILSCALE_API_KEY: "from the environment",
      TAILSCALE_BASE_URL: "http://127.0.0.1:1",
      TAILSCALE_TAILNET: "example.com",
    };
    expect(readSettings({ apiKey: "from the stack", baseUrl: "http://127.0.0.1:2/" }, env)).toEqual(
      {
        baseUrl: "http://127.0.0.1:2",
        tailnet: "example.com",
        credentials: { kind: "api key", key: "from the stack" },
      },
    );
  });

  it("has the service's address and the credentials' own tailnet as defaults", () => {
    const env = { OAUTH_CLIENT_ID: "id", TAILSCALE_OAUTH_CLIENT_SECRET: "secret" };
    expect(readSettings({ scopes: '["auth_keys","dns"]' }, env)).toEqual({
      baseUrl: "https://api.tailscale.com",
      tailnet: "-",
      credentials: { kind: "oauth", id: "id", secret: "secret", scopes: ["auth_keys", "dns"] },
    });
  });

  it("reads a secret from a file", () => {
    const file = join(mkdtempSync(join(tmpdir(), "tailscale-")), "key");
    writeFileSync(file, "tskey-api-x\n");
    const { credentials } = readSettings({ apiKey: `file:${file}` }, {});
    expect(credentials).toEqual({ kind: "api key", key: "tskey-api-x" });
  });

  it("refuses to guess", () => {
    expect(() => readSettings({}, {})).toThrow("tailscale: no credentials. Set apiKey, or");
    expect(() => readSettings({ oauthClientId: "only half" }, {})).toThrow("no credentials");
    expect(() => readSettings({ apiKey: "a" }, { OAUTH_CLIENT_ID: "b" })).toThrow("not both");
    expect(() => readSettings({ identityToken: "t" }, {})).toThrow("not supported here");
  });
});
