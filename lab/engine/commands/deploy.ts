import * as os from "node:os";
import { createInterface } from "node:readline/promises";
import { EngineError, ExitCode } from "../errors";
import { diffReport } from "../display/diffReport";
import { Masker } from "../display/mask";
import { PlainRenderer } from "../display/plain";
import { previewDigest } from "../display/previewJson";
import { RunRecord, type Renderer } from "../display/record";
import { reportLines } from "../display/report";
import { changesIn } from "../display/summary";
import { TreeRenderer } from "../display/tree";
import { takeLock } from "../state/lock";
import { onForcedExit } from "./interrupts";
import { perform, type RunOptions } from "./perform";
import {
  findPlace,
  makeStackIfSettingsExist,
  openSession,
  type GlobalOptions,
  type Session,
} from "./session";

/** Options of preview, up and destroy. */
export interface DeployOptions extends GlobalOptions {
  parallel?: string;
  continueOnError?: boolean;
  diff?: boolean;
  json?: boolean;
  expectNoChanges?: boolean;
  skipPreview?: boolean;
  previewOnly?: boolean;
  yes?: boolean;
  nonInteractive?: boolean;
  suppressOutputs?: boolean;
  guard: string;
}

type Kind = RunOptions["kind"];

const silent: Renderer = {
  stepStarted: () => undefined,
  stepEnded: () => undefined,
  diagnostic: () => undefined,
  close: () => undefined,
};

/** `pulumi preview`: runs the program and says what would change. @returns the exit code */
export async function preview(options: DeployOptions): Promise<number> {
  const masker = new Masker();
  const place = findPlace(options, process.env);
  makeStackIfSettingsExist(place);
  const session = await openSession(place, masker);
  const result = await runAndReport(session, masker, "update", true, options);
  return options.expectNoChanges && result.code === ExitCode.ok && result.changes > 0
    ? complainOfChanges("proposed")
    : result.code;
}

/** `pulumi up` and `pulumi destroy`: preview, question, work. @returns the exit code */
export async function deploy(kind: Kind, options: DeployOptions): Promise<number> {
  const isInteractive = process.stdin.isTTY && process.stdout.isTTY && !options.nonInteractive;
  if (!isInteractive && !options.yes && !options.skipPreview && !options.previewOnly) {
    throw new EngineError(
      "--yes or --skip-preview must be passed in to proceed when running in non-interactive mode",
    );
  }
  const place = findPlace(options, process.env);
  makeStackIfSettingsExist(place);
  place.store.read(place.id);
  const lock = takeLock(place.store.lockFolder(place.id), place.id.stack, (text) =>
    process.stderr.write(`warning: ${text}\n`),
  );
  const forget = onForcedExit(() => lock.release());
  try {
    const masker = new Masker();
    const session = await openSession(place, masker);
    if (!options.skipPreview) {
      const { code } = await runAndReport(session, masker, kind, true, options);
      if (code !== ExitCode.ok || options.previewOnly) return code;
      if (!options.yes && !(await confirm(kind))) return ExitCode.failed;
    }
    const result = await runAndReport(session, masker, kind, false, options);
    return options.expectNoChanges && result.code === ExitCode.ok && result.changes > 0
      ? complainOfChanges("made")
      : result.code;
  } finally {
    forget();
    lock.release();
  }
}

async function runAndReport(
  session: Session,
  masker: Masker,
  kind: Kind,
  isPreview: boolean,
  options: DeployOptions,
): Promise<{ code: number; changes: number }> {
  const asJson = isPreview && options.json === true;
  // The differences of a preview say everything that its lines would.
  const isSilent = asJson || (isPreview && options.diff === true);
  if (!asJson) print(`${heading(kind, isPreview)} (${session.id.stack}):`);
  const renderer = isSilent ? silent : chooseRenderer(masker, isPreview, options);
  const record = new RunRecord(masker, renderer);
  const { isFailed, isCancelled } = await perform(session, record, {
    kind,
    isPreview,
    parallel: readParallel(options.parallel),
    continueOnError: options.continueOnError ?? isTrue(process.env["PULUMI_CONTINUE_ON_ERROR"]),
    guard: options.guard,
  });
  renderer.close();
  if (asJson) print(previewDigest(record, session.config, Date.now()));
  else {
    if (options.diff) diffReport(record.steps).forEach((line) => print(masker.mask(line)));
    const suppressOutputs = options.suppressOutputs === true || kind === "destroy";
    print("");
    for (const line of reportLines(record, { isPreview, suppressOutputs, now: Date.now() }))
      print(line);
  }
  const code = isCancelled ? ExitCode.cancelled : isFailed ? ExitCode.failed : ExitCode.ok;
  return { code, changes: changesIn(record.counts) };
}

function chooseRenderer(masker: Masker, isPreview: boolean, options: DeployOptions): Renderer {
  const isLive = process.stdout.isTTY && !options.nonInteractive && !options.diff;
  return isLive
    ? new TreeRenderer(process.stdout, isPreview)
    : new PlainRenderer((line) => print(masker.mask(line)), isPreview);
}

function heading(kind: Kind, isPreview: boolean): string {
  if (kind === "destroy") return isPreview ? "Previewing destroy" : "Destroying";
  return isPreview ? "Previewing update" : "Updating";
}

async function confirm(kind: Kind): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const noun = kind === "destroy" ? "destroy" : "update";
  const answer = await prompt.question(`Do you want to perform this ${noun}? (yes/no) `);
  prompt.close();
  if (/^y(es)?$/i.test(answer.trim())) return true;
  print(`confirmation declined, not proceeding with the ${noun}`);
  return false;
}

/** Provider calls at a time: as given, else four per processor, as the CLI has it. */
function readParallel(text: string | undefined): number {
  if (text === undefined) return os.cpus().length * 4;
  const number = Number(text);
  if (!Number.isInteger(number))
    throw new EngineError(`--parallel: "${text}" is not a whole number`);
  return Math.max(1, number);
}

function isTrue(text: string | undefined): boolean {
  return text === "true" || text === "1";
}

function complainOfChanges(what: string): number {
  process.stderr.write(`error: no changes were expected but changes were ${what}\n`);
  return ExitCode.changesFound;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
