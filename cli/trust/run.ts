/** Scans, judges, asks and records. */

import { createInterface } from "node:readline/promises";
import { parseHostKey } from "../../probe/hostKey";
import { scanHostKeys, type ScanResult } from "../../probe/scan";
import { planOrErrors, readInventory } from "../inventoryFile";
import { looking } from "../looking";
import { printJson } from "../terminal";
import { UsageError } from "../usageError";
import { type Chosen, chooseHosts } from "./choose";
import { judge, type Judgement } from "./judge";
import { type KeyToRecord, recordHostKeys } from "./record";
import { renderJudgements } from "./render";
import { replaceFile } from "./replaceFile";

export interface TrustOptions {
  readonly all?: boolean;
  readonly file: string;
  readonly yes?: boolean;
  readonly replace: readonly string[];
  readonly json?: boolean;
}

export async function runTrust(names: readonly string[], options: TrustOptions): Promise<void> {
  const { file } = options;
  if (file === "-") throw new UsageError("--file: the keys are recorded, so a file is needed");
  const text = readInventory(file);
  const planned = planOrErrors(text, file);
  if (!planned) return;
  const { fleet, plan } = planned;
  const chosen = chooseHosts([...names, ...options.replace], options.all ?? false, fleet, plan);
  const judgements = await look(chosen, options.replace);
  if (!options.json) process.stdout.write(renderJudgements(judgements));

  const wanted = keysOf(judgements, options.replace);
  const { text: after, refused } = recordHostKeys(text, wanted);
  const fresh = wanted.size - refused.size;
  const isConfirmed = fresh > 0 && (options.yes || (await ask(fresh, file, options)));
  if (isConfirmed) replaceFile(file, text, after);
  report(file, judgements, isConfirmed ? fresh : 0, refused, options);
  const isMissing = [...judgements.values()].some(({ outcome }) =>
    ["changed", "not-reached"].includes(outcome),
  );
  process.exitCode = isMissing || refused.size > 0 || (fresh > 0 && !isConfirmed) ? 1 : 0;
}

/** Hosts that the file does not say how to reach are judged without being asked. */
async function look(
  chosen: readonly Chosen[],
  replace: readonly string[],
): Promise<Map<string, Judgement>> {
  const targets = chosen.flatMap(({ name, connection }) => {
    if (!connection) return [];
    const recorded = connection.hostKey === null ? undefined : parseHostKey(connection.hostKey);
    return [{ name, connection, prefer: recorded?.type }];
  });
  const progress = looking(targets.length);
  const scans = await scanHostKeys(targets, { onResult: progress.one });
  progress.end();
  const noAddress: ScanResult = { ok: false, kind: "unresolved", reason: "it has no ssh_host" };
  return new Map(
    chosen.map(({ name, connection }) => [
      name,
      judge(scans.get(name) ?? noAddress, connection?.hostKey ?? null, replace.includes(name)),
    ]),
  );
}

function keysOf(
  judgements: ReadonlyMap<string, Judgement>,
  replace: readonly string[],
): Map<string, KeyToRecord> {
  return new Map(
    [...judgements].flatMap(([name, judgement]) =>
      "key" in judgement
        ? [[name, { key: judgement.key, replace: replace.includes(name) }] as const]
        : [],
    ),
  );
}

/** Exported for its test: a person answers on a terminal only. */
export async function ask(
  count: number,
  file: string,
  { json }: Pick<TrustOptions, "json">,
): Promise<boolean> {
  if (json || !process.stdin.isTTY || !process.stderr.isTTY) {
    process.stderr.write("fleet: nothing is recorded without --yes\n");
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const reply = await terminal.question(`Record ${many(count)} in ${file}? [y/N] `);
    if (/^y(es)?$/i.test(reply.trim())) return true;
    process.stderr.write("fleet: nothing is recorded\n");
    return false;
  } catch (error) {
    if ((error as Error).name !== "AbortError") throw error;
    // Ctrl-C or Ctrl-D in place of an answer.
    process.stderr.write("\nfleet: nothing is recorded\n");
    return false;
  } finally {
    terminal.close();
  }
}

function report(
  file: string,
  judgements: ReadonlyMap<string, Judgement>,
  recorded: number,
  refused: ReadonlyMap<string, string>,
  { json }: TrustOptions,
): void {
  if (json) {
    const hosts = [...judgements].map(([name, { outcome, ...rest }]) => [
      name,
      { outcome, ...rest, refused: refused.get(name) ?? null },
    ]);
    printJson({ file, hosts: Object.fromEntries(hosts), recorded });
    return;
  }
  for (const [name, reason] of refused) process.stderr.write(`fleet: ${name}: ${reason}\n`);
  if (recorded > 0) process.stdout.write(`${many(recorded)} recorded in ${file}\n`);
}

function many(count: number): string {
  return `${count} host ${count === 1 ? "key" : "keys"}`;
}
