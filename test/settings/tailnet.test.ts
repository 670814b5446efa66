import { readTailnet } from "../../settings/tailnet";

const SUM = "a".repeat(64);
const read = (raw: Record<string, unknown>) => {
  const mistakes: string[] = [];
  const settings = readTailnet(raw, (key, expected, got) => {
    mistakes.push(`${key}: expected ${expected}, got ${JSON.stringify(got)}`);
  });
  return { settings, mistakes };
};

describe("readTailnet", () => {
  it.each([[{}], [{ enabled: false, version: "1.102.2" }]])("is off by default: %j", (raw) => {
    expect(read(raw)).toEqual({ settings: null, mistakes: [] });
  });

  it("fills in every default", () => {
    expect(read({ version: "1.102.2", sha256: { x86_64: SUM } })).toEqual({
      mistakes: [],
      settings: {
        version: "1.102.2",
        sha256: { x86_64: SUM, aarch64: null },
        loginServer: null,
        keyMinutes: 30,
        policy: {
          manage: true,
          base: null,
          existing: "refuse",
          owners: ["autogroup:admin"],
          sshFrom: [],
          sshUsers: ["autogroup:nonroot", "root"],
        },
        classes: {},
        dns: null,
      },
    });
  });

  it("reads everything", () => {
    const plain = {
      version: "1.102.2",
      sha256: { x86_64: SUM, aarch64: SUM },
      loginServer: "https://control.example.com",
      keyMinutes: 5,
    };
    const policy = {
      manage: false,
      base: "p.hujson",
      existing: "adopt",
      owners: ["tag:ci"],
    };
    const { settings, mistakes } = read({
      ...plain,
      policy: { ...policy, ssh: { from: ["group:ops"], users: ["root"] } },
      classes: { "vast-nodes": { ephemeral: true }, "runpod-nodes": { days: 7 } },
      dns: { nameservers: ["192.0.2.53"] },
    });
    expect(mistakes).toEqual([]);
    expect(settings).toEqual({
      ...plain,
      policy: { ...policy, sshFrom: ["group:ops"], sshUsers: ["root"] },
      classes: {
        "vast-nodes": { days: 90, ephemeral: true },
        "runpod-nodes": { days: 7, ephemeral: false },
      },
      dns: {
        magicDns: true,
        nameservers: ["192.0.2.53"],
        searchPaths: [],
        overrideLocalDns: false,
      },
    });
  });

  it("tells every mistake", () => {
    const { mistakes } = read({
      version: "latest",
      sha256: { x86_64: "abc" },
      loginServer: "ftp://x",
      keyMinutes: 0,
      policy: { existing: "yes", owners: "me" },
      classes: { Vast: { days: 91 } },
      authkey: "x",
    });
    expect(mistakes).toEqual([
      'tailnet: expected only enabled, version, sha256, loginServer, keyMinutes, policy, classes, dns, got "authkey"',
      'tailnet.version: expected a version such as 1.102.2, got "latest"',
      "tailnet.version: expected a version such as 1.102.2, got undefined",
      'tailnet.sha256.x86_64: expected 64 hexadecimal digits, got "abc"',
      'tailnet.sha256: expected the archive\'s checksum for x86_64 or aarch64, got {"x86_64":"abc"}',
      'tailnet.loginServer: expected a URL without a path, got "ftp://x"',
      "tailnet.keyMinutes: expected an integer from 1 to 1440, got 0",
      'tailnet.policy.existing: expected one of refuse, adopt, overwrite, got "yes"',
      'tailnet.policy.owners: expected a list of texts, got "me"',
      'tailnet.classes: expected names of lower case letters, digits and hyphens, got "Vast"',
      "tailnet.classes.Vast.days: expected an integer from 1 to 90, got 91",
    ]);
  });
});
