/** Asks for the tailnet's devices and brings the inventory's addresses in line. */

import { readFileSync } from "node:fs";
import { z } from "zod";
import { type FleetPlan } from "../../hosts/plan/types";
import { lineDiff } from "../../payload/lineDiff";
import { type Device, TailnetApi, TailnetApiError } from "../../tailnet/api";
import { type ApiAccess, apiAccess } from "../../tailnet/credentials";
import { VOTER_TAG } from "../../tailnet/policy";
import { fleetTags } from "../../tailnet/tags";
import { planOrErrors, readInventory } from "../inventoryFile";
import { printJson } from "../terminal";
import { replaceFile } from "../trust/replaceFile";
import { UsageError } from "../usageError";
import { editAddresses } from "./edit";
import { type Matching, matchDevices, type SeenDevice } from "./match";

export interface SyncOptions {
  readonly file: string;
  readonly write?: boolean;
  readonly json?: boolean;
  /** Path of what `pulumi stack output --json` printed, in place of the API. */
  readonly from?: string;
}

export async function runSyncTailscale(options: SyncOptions): Promise<void> {
  const { file } = options;
  if (file === "-" && options.write) throw new UsageError("--write: a file is needed");
  const text = readInventory(file);
  const planned = planOrErrors(text, file);
  if (!planned) return;
  const { fleet, plan } = planned;
  const devices = await devicesOf(options);
  if (devices === undefined) return;
  const inUse = [...fleet.hosts].filter(([name]) => !isLeaving(plan, name));
  const hosts = new Map(inUse.map(([name, host]) => [name, host.tailnetAddress]));
  // Devices outlive the last host of their kind.
  const providers = [...fleet.hosts.values()].map(({ provider }) => `tag:${provider}-nodes`);
  const tags = [VOTER_TAG, ...fleetTags(plan, providers)];
  // The stack's outputs tell of devices that there are, and of no host that it does not deploy.
  const isComplete = options.from === undefined;
  const matching = matchDevices(hosts, devices, tags, isComplete);
  const { text: after, refused } = editAddresses(text, matching.changes);
  const isWritten = options.write === true && after !== text;
  if (isWritten) replaceFile(file, text, after);
  if (options.json) printJson({ file, ...asJson(matching), refused, written: isWritten });
  else report(file, text, after, matching, refused, isWritten);
  const isOpen = refused.length > 0 || (after !== text && !isWritten);
  process.exitCode = isOpen ? 1 : 0;
}

function isLeaving(plan: FleetPlan, name: string): boolean {
  const host = plan.hosts.get(name);
  return host?.action === "skip" && host.leaving;
}

/** Lines of the diff that is shown. */
const MAX_LINES = 2_000;

/** @returns undefined after a message */
async function devicesOf({ from }: SyncOptions): Promise<SeenDevice[] | undefined> {
  if (from !== undefined) return fromOutputs(from);
  const access = accessOrUsage();
  if (access === null)
    throw new UsageError(
      "no credentials for the Tailscale API",
      "set TAILSCALE_API_KEY, or TAILSCALE_OAUTH_CLIENT_ID and TAILSCALE_OAUTH_CLIENT_SECRET; or give --from",
    );
  try {
    return (await new TailnetApi(access).devices()).map(fromApi);
  } catch (error) {
    if (!(error instanceof TailnetApiError)) throw error;
    process.stderr.write(`fleet: ${error.message}\n`);
    process.exitCode = 1;
    return undefined;
  }
}

function accessOrUsage(): ApiAccess | null {
  try {
    return apiAccess({});
  } catch (error) {
    throw new UsageError(`the credentials for the Tailscale API: ${(error as Error).message}`);
  }
}

function fromApi(device: Device): SeenDevice {
  return {
    id: device.nodeId || device.id,
    hostname: device.hostname,
    name: device.name,
    addresses: device.addresses,
    tags: device.tags,
    isConnected: device.connectedToControl === true,
    lastSeen: device.lastSeen ?? "",
  };
}

const outputsSchema = z.object({
  hosts: z.record(
    z.string(),
    z.object({
      tailnet: z
        .object({
          name: z.string().nullable(),
          addresses: z.array(z.string()),
          tags: z.array(z.string()),
        })
        .nullish(),
    }),
  ),
});

function fromOutputs(path: string): SeenDevice[] {
  const parsed = outputsSchema.safeParse(readJson(path));
  if (!parsed.success)
    throw new UsageError(`--from: ${path} is not what \`pulumi stack output --json\` prints`);
  return Object.entries(parsed.data.hosts).flatMap(([hostname, { tailnet }]) =>
    tailnet
      ? [
          {
            ...tailnet,
            id: hostname,
            hostname,
            name: tailnet.name ?? "",
            isConnected: true,
            lastSeen: "",
          },
        ]
      : [],
  );
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError(`--from: ${path}: ${(error as Error).message}`);
  }
}

function asJson({ changes, doubles, alike, unclaimed }: Matching): object {
  return {
    hosts: Object.fromEntries(changes.map(({ host, before, after }) => [host, { before, after }])),
    doubles: doubles.map(({ host, device }) => ({ host, id: device.id, name: device.name })),
    alike,
    unclaimed: unclaimed.map(({ id, hostname, name, addresses, tags }) => ({
      id,
      hostname,
      name,
      addresses,
      tags,
    })),
  };
}

function report(
  file: string,
  before: string,
  after: string,
  { changes, doubles, alike, unclaimed }: Matching,
  refused: readonly string[],
  isWritten: boolean,
): void {
  const lines = [
    ...(after === before ? [] : [`--- ${file}`, `+++ ${file}`, lineDiff(before, after, MAX_LINES)]),
    ...doubles.map(
      ({ host, device }) =>
        `${host}: another device of the tailnet has its name: ${describe(device)}`,
    ),
    ...(alike.length === 0
      ? []
      : [`${alike.join(", ")}: their devices are called alike; write tailscale_ip by hand`]),
    ...unclaimed.map(
      (device) => `no host in use of ${file}: ${describe(device)}, ${device.tags.join(" ")}`,
    ),
    changes.length === 0 ? `${file}: every tailnet address is current` : "",
    isWritten ? `${file}: written` : "",
  ];
  process.stdout.write(
    lines
      .filter((line) => line !== "")
      .map((line) => `${line}\n`)
      .join(""),
  );
  for (const host of refused)
    process.stderr.write(
      `fleet: ${host}: its entry cannot be edited safely; change tailscale_ip by hand\n`,
    );
  if (after !== before && !isWritten)
    process.stderr.write("fleet: nothing is written without --write\n");
}

function describe({ name, id, addresses }: SeenDevice): string {
  return `${name || id} (${addresses[0] ?? "no address"}, ${id})`;
}
