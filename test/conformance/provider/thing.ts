import * as crypto from "node:crypto";

import { plain, type Properties, secret, unknownMark } from "./values";

/**
 * Inputs of `conf:index:Thing`. Everything it does is steered by them, so that a program says by itself
 * what it is about.
 */
export interface ThingInputs {
  /** Any value; a change is an update. */
  readonly value?: unknown;
  /** A change replaces the thing. */
  readonly identity?: unknown;
  /** Whether the provider asks for the old thing to go first. @default false */
  readonly deleteFirst?: boolean;
  /** "unknown": Diff answers DIFF_UNKNOWN. */
  readonly diff?: "unknown";
  /** Milliseconds every changing call takes. @default 0 */
  readonly slow?: number;
  /** Comes back as the secret output `token`. */
  readonly tokenText?: string;
  /** Calls that fail: check, diff, create, update, delete; partial: made, but not ready. */
  readonly failOn?: string[];
  /** What the failure says. @default "as told" */
  readonly failText?: string;
  /** Quoted at the end of what the failure says. */
  readonly quote?: string;
  /** Filled in by Check. @default "small" */
  readonly size?: string;
}

/** The answer of Diff, before it becomes a message. */
export interface ThingDiff {
  readonly changes: "none" | "some" | "unknown";
  readonly diffs: string[];
  readonly replaces: string[];
  readonly deleteBeforeReplace: boolean;
}

/** Whether a call is to fail, by the inputs it got. */
export function isToldToFail(inputs: Properties, call: string): boolean {
  const calls = plain(inputs["failOn"]);
  return Array.isArray(calls) && calls.includes(call);
}

/** Text of a failure that was asked for. */
export function failureText(inputs: Properties): string {
  const text = String(plain(inputs["failText"]) ?? "as told");
  const quote = plain(inputs["quote"]);
  return quote === undefined ? text : `${text}: '${String(quote)}'`;
}

/** Inputs with the provider's defaults filled in. */
export function withDefaults(news: Properties): Properties {
  return { size: "small", ...news };
}

/** Compares old and new inputs key by key. */
export function diffThing(olds: Properties, news: Properties): ThingDiff {
  const keys = [...new Set([...Object.keys(olds), ...Object.keys(news)])].sort();
  const isChanged = (key: string) =>
    !key.startsWith("__") && JSON.stringify(plain(olds[key])) !== JSON.stringify(plain(news[key]));
  const diffs = keys.filter(isChanged);
  return {
    changes: news["diff"] === "unknown" ? "unknown" : diffs.length > 0 ? "some" : "none",
    diffs,
    replaces: diffs.filter((key) => key === "identity"),
    deleteBeforeReplace: news["deleteFirst"] === true,
  };
}

/** Short digest of a value: depends on it, and does not show it. */
function digest(value: unknown): string {
  const text = JSON.stringify(plain(value) ?? null);
  return crypto.createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** Outputs of a thing: its inputs, and what the cloud adds. In a preview what changes is unknown. */
export function outputsOf(inputs: Properties, old: Properties | undefined, preview: boolean) {
  const isSameValue =
    old !== undefined &&
    JSON.stringify(plain(old["value"])) === JSON.stringify(plain(inputs["value"]));
  const generation = old === undefined ? 1 : Number(old["generation"]) + 1;
  const computed = isSameValue
    ? old["computed"]
    : preview
      ? unknownMark
      : `computed-${digest(inputs["value"])}`;
  const outputs: Properties = {
    ...inputs,
    computed,
    generation: preview ? unknownMark : generation,
  };
  const token = plain(inputs["tokenText"]);
  if (token !== undefined) outputs["token"] = secret(preview ? unknownMark : token);
  return outputs;
}
