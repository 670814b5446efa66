import { join } from "node:path";
import { type ValueMap } from "../../../../lab/wire";
import { ProviderUnderTest, urnOf } from "../client";
import { type FakeEngine } from "../fakeEngine";

export const executable = join(__dirname, "../../../../lab/bin/pulumi-resource-tailscale");

export const key = urnOf("tailscale:index/tailnetKey:TailnetKey");
export const acl = urnOf("tailscale:index/acl:Acl");
export const dns = (name: string): string =>
  urnOf(`tailscale:index/${name[0]?.toLowerCase()}${name.slice(1)}:${name}`);

/** The environment without anybody's credentials. */
const CLEAN = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => /^(TAILSCALE|OAUTH)_/.test(name))
    .map((name) => [name, undefined]),
);

export async function start(
  engine: FakeEngine,
  config: ValueMap,
  env: NodeJS.ProcessEnv = {},
): Promise<ProviderUnderTest> {
  const provider = await ProviderUnderTest.start([executable], engine, { ...CLEAN, ...env });
  return provider.configure(config);
}
