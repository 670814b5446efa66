import { isMap, isSecret, type Value, type ValueMap } from "../../wire";
import { contentOf } from "../wire/compare";

/** Steps into a value: a key, an index, or `*` for all. */
export type PropertyPath = Array<string | number>;

/**
 * Reads Pulumi's path syntax: `a.b`, `a[0]`, `a["key with dots"]`, `a.*`, `a[*]`, `*`.
 * @returns undefined when the text is not a path.
 */
export function parsePath(text: string): PropertyPath | undefined {
  const path: PropertyPath = [];
  let rest = text;
  while (rest !== "") {
    const match =
      /^\["((?:[^"\\]|\\.)*)"\]/.exec(rest) ??
      /^\[(\d+|\*)\]/.exec(rest) ??
      (path.length === 0 ? /^([^.[\]]+)/ : /^\.([^.[\]]+)/).exec(rest);
    if (!match) return undefined;
    path.push(readStep(match));
    rest = rest.slice(match[0].length);
  }
  return path.length > 0 ? path : undefined;
}

function readStep(match: RegExpExecArray): string | number {
  const step = match[1] ?? "";
  if (match[0].startsWith('["')) return step.replace(/\\(.)/g, "$1");
  return match[0].startsWith("[") && step !== "*" ? Number(step) : step;
}

/** Writes a path in the syntax `parsePath` reads. */
export function formatPath(path: PropertyPath): string {
  return path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      if (!/^[A-Za-z_$][\w$]*$/.test(step)) return `["${step.replace(/(["\\])/g, "\\$1")}"]`;
      return index === 0 ? step : `.${step}`;
    })
    .join("");
}

/** True when `outer` is `inner` or lies above it; `*` matches any step. */
export function contains(outer: PropertyPath, inner: PropertyPath): boolean {
  return (
    outer.length <= inner.length &&
    outer.every((step, index) => step === "*" || String(step) === String(inner[index]))
  );
}

/**
 * Sets `path` in `news` back to what `olds` has there, and removes it where `olds` has nothing.
 * @returns false when the path leads into something that only one side has, which is left as it is.
 */
export function resetPath(path: PropertyPath, olds: ValueMap, news: ValueMap): boolean {
  return resetIn(path, olds, news);
}

function resetIn(path: PropertyPath, olds: Value | undefined, news: Value | undefined): boolean {
  const [step, ...rest] = path;
  if (step === undefined) return true;
  if (isSecret(olds)) return resetIn(path, contentOf(olds), news);
  if (isSecret(news)) return resetIn(path, olds, contentOf(news));
  if (step === "*") return resetAll(rest, olds, news);
  if (Array.isArray(olds) && Array.isArray(news)) return resetItem(Number(step), rest, olds, news);
  if (!isMap(olds) || !isMap(news)) return olds === undefined && news === undefined;
  const key = String(step);
  if (rest.length > 0) return resetIn(rest, olds[key], news[key]);
  const old = olds[key];
  if (old === undefined) delete news[key];
  else news[key] = old;
  return true;
}

function resetAll(rest: PropertyPath, olds: Value | undefined, news: Value | undefined): boolean {
  if (Array.isArray(olds) && Array.isArray(news)) {
    if (rest.length === 0) {
      news.splice(0, news.length, ...olds);
      return true;
    }
    if (olds.length !== news.length) return false;
    return news.every((item, index) => resetIn(rest, olds[index], item));
  }
  if (!isMap(olds) || !isMap(news)) return olds === undefined && news === undefined;
  const keys = new Set([...Object.keys(olds), ...Object.keys(news)]);
  return [...keys].map((key) => resetIn([key, ...rest], olds, news)).every(Boolean);
}

function resetItem(index: number, rest: PropertyPath, olds: Value[], news: Value[]): boolean {
  const old = olds[index];
  if (index >= news.length || old === undefined) return false;
  if (rest.length > 0) return resetIn(rest, old, news[index]);
  news[index] = old;
  return true;
}
