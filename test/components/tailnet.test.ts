import * as pulumi from "@pulumi/pulumi";
import * as sdk from "@pulumi/tailscale";
import { type JoinKey, Tailnet, type TailnetArgs } from "../../components/tailnet";
import { TailnetKeys, wantedKeys } from "../../components/tailnetKeys";
import { type TailnetSettings } from "../../settings/tailnet";
import { type WantedKey } from "../../tailnet/classKeys";
import { NO_MEMORY, type TailnetMemory } from "../../tailnet/plannedKeys";
import { keyDescription, stamped } from "../../tailnet/plannedKeys";
import { type Survey } from "../../tailnet/survey";

const NOW = "2026-11-22T07:00:00.000Z";
const MEMORY = { foreign: "f", base: null };

interface Wanted extends Partial<TailnetArgs> {
  readonly classKeys?: readonly WantedKey[];
  readonly joinKeys?: readonly JoinKey[];
  readonly previous?: Partial<TailnetMemory>;
  readonly isPossible?: boolean;
}

async function register(wanted: Wanted, preview = false) {
  const { classKeys = [], joinKeys = [], previous, isPossible = true, ...args } = wanted;
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
  const tailnet = new Tailnet("tailnet", {
    ...{ sdk, policy: null, dns: null, keySeconds: 1800, nonce: NOW, ...args },
  });
  const keys = new TailnetKeys(tailnet, { ...NO_MEMORY, ...previous });
  const areMade = await keys.register(joinKeys, classKeys, isPossible);
  const made = (await keys.made()).map(({ key, expires }) => [key.class, expires]);
  await pulumi.runtime.disconnect();
  const hosts = keys.hosts();
  return {
    registered: registered.sort((a, b) => (a.name < b.name ? -1 : 1)),
    ...{ areMade, made, hosts },
  };
}

const CLASS = {
  ...{ class: "vast-nodes", tags: ["tag:vast-nodes"], days: 90, ephemeral: true },
  ...{ generation: "2026-11-22", isNewest: true },
};
const WRITE = { kind: "write", text: "{}", overwrite: false, memory: MEMORY, notes: [] } as const;

const DNS = {
  settings: {
    magicDns: true,
    nameservers: ["192.0.2.53"],
    searchPaths: [],
    overrideLocalDns: false,
  },
  generation: "",
  isKept: false,
};

describe("Tailnet", () => {
  it.each([false, true])("makes policy, DNS and keys (preview: %s)", async (preview) => {
    const { registered } = await register(
      {
        policy: WRITE,
        dns: DNS,
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

  it("writes DNS settings that somebody edited as another resource", async () => {
    const { registered } = await register({ dns: { ...DNS, generation: "20261122T07" } });
    expect(registered.map(({ name }) => name)).toEqual(["tailnet", "tailnet-dns-20261122T07"]);
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

describe("TailnetKeys", () => {
  const key = (host: string, isNeeded = true) => ({ host, tags: ["tag:vast-nodes"], isNeeded });
  const names = ({ registered }: { registered: readonly { type: string; name: string }[] }) =>
    registered.filter(({ type }) => type === "TailnetKey").map(({ name }) => name);

  it("lets one new key go ahead, and makes the others after it", async () => {
    const result = await register({ joinKeys: [key("a"), key("b")], classKeys: [CLASS] });
    expect(names(result)).toEqual(["a-join-key", "b-join-key", "vast-nodes-2026-11-22"]);
    expect(result).toMatchObject({
      areMade: true,
      hosts: ["a", "b"],
      made: [["vast-nodes", "2027-02-20T07:00:00Z"]],
    });
  });

  it("makes no other where none can be, and keeps those that stand", async () => {
    const previous = {
      joinKeys: ["b", "c"],
      classKeys: [{ class: "vast-nodes", generation: "2026-11-22", id: null, expires: null }],
    };
    const result = await register({
      joinKeys: [key("a"), key("b"), key("c", false), key("d")],
      classKeys: [CLASS],
      ...{ previous, isPossible: false },
    });
    expect(names(result)).toEqual(["b-join-key", "c-join-key", "vast-nodes-2026-11-22"]);
    expect(result).toMatchObject({ areMade: false, hosts: ["b", "c"] });
  });

  it("registers all of them in preview, where nothing is known yet", async () => {
    const result = await register({ joinKeys: [key("a"), key("b")] }, true);
    expect(names(result)).toEqual(["a-join-key", "b-join-key"]);
    expect(result.areMade).toBe(true);
  });
});

describe("wantedKeys", () => {
  const classes = { "vast-nodes": { days: 90, ephemeral: false } };
  const settings = { classes } as unknown as TailnetSettings;
  const known = { class: "vast-nodes", generation: "2026-11-20", id: "k1", expires: null };
  const previous: TailnetMemory = { ...NO_MEMORY, classKeys: [known] };
  const named = (goneKeys: Survey["goneKeys"], canBeMade: boolean, memory = previous) =>
    wantedKeys({ settings, previous: memory, now: NOW }, { goneKeys }, () => canBeMade).map(
      ({ generation }) => generation,
    );

  it("replaces a key that lets nobody in, once there can be another", () => {
    expect(named({ value: ["k1"] }, true)).toEqual(["2026-11-22"]);
    expect(named({ value: ["k1"] }, false)).toEqual(["2026-11-20"]);
  });

  it("keeps what nobody could ask for, and makes none that cannot be", () => {
    expect(named({ why: "the API is down" }, true)).toEqual(["2026-11-20"]);
    expect(named({ value: [] }, false, NO_MEMORY)).toEqual([]);
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
