import * as pulumi from "@pulumi/pulumi";
import * as sdk from "@pulumi/tailscale";
import { Tailnet, type TailnetArgs } from "../../components/tailnet";
import { keyDescription, stamped } from "../../tailnet/plannedKeys";

const NOW = "2026-11-22T07:00:00.000Z";
const MEMORY = { foreign: "f", base: null };

async function register(args: Partial<TailnetArgs>, preview = false) {
  const registered: { type: string; name: string; inputs: unknown }[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, inputs }) {
        registered.push({ type: type.replace(/^.*:/, ""), name, inputs });
        const key = { key: `secret of ${name}`, expiresAt: "2027-02-20T07:00:00Z" };
        return { id: preview ? undefined : `${name}-id`, state: { ...(inputs as object), ...key } };
      },
      call: ({ token }) => {
        throw new Error(`unknown function ${token}`);
      },
    },
    "p2p",
    "test",
    preview,
  );
  new Tailnet("tailnet", {
    ...{ sdk, policy: null, dns: null, classKeys: [], joinKeys: [] },
    ...{ keySeconds: 1800, nonce: NOW, ...args },
  });
  await pulumi.runtime.disconnect();
  return { registered: registered.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

const CLASS = {
  ...{ class: "vast-nodes", tags: ["tag:vast-nodes"], days: 90, ephemeral: true },
  ...{ generation: "2026-11-22", isNewest: true },
};
const WRITE = { kind: "write", text: "{}", overwrite: false, memory: MEMORY, notes: [] } as const;

describe("Tailnet", () => {
  it.each([false, true])("makes policy, DNS and keys (preview: %s)", async (preview) => {
    const { registered } = await register(
      {
        policy: WRITE,
        dns: {
          magicDns: true,
          nameservers: ["192.0.2.53"],
          searchPaths: [],
          overrideLocalDns: false,
        },
        classKeys: [CLASS],
        joinKeys: [{ host: "gpu-7", tags: ["tag:vast-nodes"], isNeeded: true }],
      },
      preview,
    );
    expect(registered).toEqual([
      {
        type: "TailnetKey",
        name: "gpu-7-join-key",
        inputs: {
          reusable: false,
          ephemeral: false,
          preauthorized: true,
          tags: ["tag:vast-nodes"],
          expiry: 1800,
          description: "p2p gpu-7 20261122T070000000Z",
          recreateIfInvalid: "never",
        },
      },
      { type: "Tailnet", name: "tailnet", inputs: {} },
      {
        type: "DnsConfiguration",
        name: "tailnet-dns",
        inputs: {
          magicDns: true,
          overrideLocalDns: false,
          nameservers: [{ address: "192.0.2.53" }],
          searchPaths: [],
        },
      },
      {
        type: "Acl",
        name: "tailnet-policy",
        inputs: { acl: `// p2p-fleet: written ${NOW}\n{}`, overwriteExistingContent: false },
      },
      {
        type: "TailnetKey",
        name: "vast-nodes-2026-11-22",
        inputs: {
          reusable: true,
          ephemeral: true,
          preauthorized: true,
          tags: ["tag:vast-nodes"],
          expiry: 7776000,
          description: "p2p vast-nodes 20261122",
        },
      },
    ]);
  });

  it("leaves the policy's text as it is where nothing is to be written, and makes nothing unasked", async () => {
    const kept = await register({ policy: { kind: "keep", text: "{ /* live */ }" } });
    expect(kept.registered.map(({ name, inputs }) => [name, inputs])).toEqual([
      ["tailnet", {}],
      ["tailnet-policy", { acl: "{ /* live */ }", overwriteExistingContent: true }],
    ]);
    expect((await register({})).registered.map(({ name }) => name)).toEqual(["tailnet"]);
  });
});

describe("keyDescription and stamped", () => {
  it("keeps to what the API takes: 50 letters, digits, hyphens and blanks", () => {
    const text = keyDescription("a_very.long-name-of-a-host-in-some-rack-42", NOW);
    expect(text).toMatch(/^[A-Za-z0-9 -]{1,50}$/);
    expect(text).toContain("20261122T07");
  });

  it("puts the time of writing on top, once", () => {
    expect(stamped(stamped("{}", "t1"), "t2")).toBe("// p2p-fleet: written t2\n{}");
  });
});
