import {
  equalValues,
  isMap,
  isSecret,
  signatureOf,
  UNKNOWN,
  type Value,
  type ValueMap,
} from "../../wire";

/**
 * Lines that show how a property changed, in the manner of `pulumi preview --diff`: `+`, `-` and `~` in front, nested
 * values indented, text that holds JSON shown as what it holds, secrets blinded as a whole.
 */
export function diffLines(olds: ValueMap, news: ValueMap, indent: number): string[] {
  const keys = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
    (key) => !key.startsWith("__"),
  );
  const width = Math.max(
    0,
    ...keys.filter((key) => !equalValues(olds[key], news[key])).map((key) => key.length),
  );
  return keys
    .sort()
    .flatMap((key) => propertyDiff(key.padEnd(width), olds[key], news[key], indent));
}

/** Lines that show whole values, each with a sign in front. */
export function valueLines(map: ValueMap, sign: "+" | "-" | " ", indent: number): string[] {
  const keys = Object.keys(map).filter((key) => !key.startsWith("__"));
  const width = Math.max(0, ...keys.map((key) => key.length));
  return keys.sort().flatMap((key) => {
    return labelled(`${sign} ${key.padEnd(width)}: `, render(map[key] ?? null), indent);
  });
}

function propertyDiff(
  label: string,
  old: Value | undefined,
  next: Value | undefined,
  indent: number,
): string[] {
  if (old === undefined && next === undefined) return [];
  if (equalValues(old, next)) return [];
  if (old === undefined) return labelled(`+ ${label}: `, render(next ?? null), indent);
  if (next === undefined) return labelled(`- ${label}: `, render(old), indent);
  if (isSecret(old) || isSecret(next)) {
    return pad(
      [
        `~ ${label}: ${isSecret(old) ? "[secret]" : scalar(old)} => ${isSecret(next) ? "[secret]" : scalar(next)}`,
      ],
      indent,
    );
  }
  const parsed = parseBoth(old, next);
  if (parsed) {
    const inner = nestedDiff(parsed.old, parsed.next, indent);
    return [
      ...pad([`~ ${label}: (json) ${open(parsed.next)}`], indent),
      ...inner,
      ...pad([`  ${close(parsed.next)}`], indent),
    ];
  }
  if (isPlainMap(old) && isPlainMap(next)) {
    return [
      ...pad([`~ ${label}: {`], indent),
      ...nestedDiff(old, next, indent),
      ...pad(["  }"], indent),
    ];
  }
  if (Array.isArray(old) && Array.isArray(next)) {
    return [
      ...pad([`~ ${label}: [`], indent),
      ...nestedDiff(old, next, indent),
      ...pad(["  ]"], indent),
    ];
  }
  if (isLongText(old) || isLongText(next)) return textDiff(label, old, next, indent);
  return pad([`~ ${label}: ${scalar(old)} => ${scalar(next)}`], indent);
}

function nestedDiff(old: Value, next: Value, indent: number): string[] {
  if (Array.isArray(old) && Array.isArray(next)) {
    const length = Math.max(old.length, next.length);
    return Array.from({ length }).flatMap((_, index) =>
      propertyDiff(`[${index}]`, old[index], next[index], indent + 4),
    );
  }
  return isMap(old) && isMap(next) ? diffLines(old, next, indent + 4) : [];
}

/** Both texts as JSON, when both hold an object or both a list. */
function parseBoth(old: Value, next: Value): { old: Value; next: Value } | undefined {
  if (typeof old !== "string" || typeof next !== "string") return undefined;
  const a = parseContainer(old);
  const b = parseContainer(next);
  if (a === undefined || b === undefined || Array.isArray(a) !== Array.isArray(b)) return undefined;
  return { old: a, next: b };
}

function parseContainer(text: string): Value | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const value = JSON.parse(text) as Value;
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function isLongText(value: Value): boolean {
  return typeof value === "string" && value.includes("\n");
}

/** Line by line, with the equal beginning and end left out but for one line each. */
function textDiff(label: string, old: Value, next: Value, indent: number): string[] {
  const before = String(old).split("\n");
  const after = String(next).split("\n");
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end++;
  const body = [
    ...(start > 0 ? [`  ${before[start - 1]}`] : []),
    ...before.slice(start, before.length - end).map((line) => `- ${line}`),
    ...after.slice(start, after.length - end).map((line) => `+ ${line}`),
    ...(end > 0 ? [`  ${before[before.length - end]}`] : []),
  ];
  return [...pad([`~ ${label}:`], indent), ...pad(body, indent + 4)];
}

/** A value as lines; the first goes behind its label. */
function render(value: Value): string[] {
  if (isSecret(value)) return ["[secret]"];
  if (typeof value === "string") {
    const parsed = parseContainer(value);
    if (parsed !== undefined) {
      const [first = "", ...rest] = render(parsed);
      return [`(json) ${first}`, ...rest];
    }
    if (value.includes("\n")) return ["", ...value.split("\n").map((line) => `    ${line}`)];
    return [scalar(value)];
  }
  const entries = Array.isArray(value)
    ? value.map((item, index) => [`[${index}]`, item] as const)
    : isPlainMap(value)
      ? Object.entries(value)
      : undefined;
  if (!entries) return [scalar(value)];
  if (entries.length === 0) return [Array.isArray(value) ? "[]" : "{}"];
  const inner = entries.flatMap(([key, item]) => labelled(`  ${key}: `, render(item), 2));
  return [open(value), ...inner, `  ${close(value)}`];
}

function labelled(label: string, lines: string[], indent: number): string[] {
  const [first = "", ...rest] = lines;
  return [...pad([`${label}${first}`], indent), ...pad(rest, indent)];
}

function scalar(value: Value): string {
  if (value === UNKNOWN) return "[unknown]";
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "object" && value !== null
    ? JSON.stringify(blindDeep(value))
    : String(value);
}

function blindDeep(value: Value): Value {
  if (isSecret(value)) return "[secret]";
  if (Array.isArray(value)) return value.map(blindDeep);
  if (!isMap(value)) return value === UNKNOWN ? "[unknown]" : value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, blindDeep(item)]));
}

function isPlainMap(value: Value | undefined): value is ValueMap {
  return isMap(value) && signatureOf(value) === undefined;
}

const open = (value: Value): string => (Array.isArray(value) ? "[" : "{");
const close = (value: Value): string => (Array.isArray(value) ? "]" : "}");

function pad(lines: string[], indent: number): string[] {
  return lines.map((line) => " ".repeat(indent) + line);
}
