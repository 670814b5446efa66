import { z } from "zod";

/** Schema parts for output of hosts: everything is bounded, nothing can move a terminal's cursor. */

const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Removes control and direction characters; newline and tab stay. */
export function clean(value: string): string {
  return value.replace(CONTROL, "");
}

/** A string, cleaned and cut to `max` characters. */
export const text = (max: number) => z.string().transform((value) => clean(value).slice(0, max));

/** A whole number from 0 to 2^53. */
export const count = z.int().nonnegative();

/** At most `max` items; what is beyond is dropped. */
export const list = <T extends z.ZodType>(item: T, max: number) =>
  z
    .array(z.unknown())
    .transform((items) => items.slice(0, max))
    .pipe(z.array(item));

/** At most `max` entries; keys are cleaned and cut to 300 characters. */
export const record = <T extends z.ZodType>(value: T, max: number) =>
  z
    .record(z.string(), z.unknown())
    .transform((entries) =>
      Object.fromEntries(
        Object.entries(entries)
          .slice(0, max)
          .map(([key, item]) => [clean(key).slice(0, 300), item]),
      ),
    )
    .pipe(z.record(z.string(), value));

export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string };

/** Bytes of output beyond which nothing is parsed. */
export const OUTPUT_LIMIT = 256 * 1024;

/**
 * Reads the last line of a host's output that is, or ends with, a JSON object.
 * @param what names the reader in the error: `verdict`, `facts`
 */
export function parseOutput<T extends z.ZodType>(
  what: string,
  schema: T,
  output: string,
): Parsed<z.infer<T>> {
  if (output.length > OUTPUT_LIMIT)
    return { ok: false, error: `${what}: more than ${OUTPUT_LIMIT} bytes` };
  const lines = output.split("\n").reverse();
  const line =
    lines.find((candidate) => candidate.startsWith("{")) ??
    // What a login script prints without an end of line stands before it.
    lines.map(endOfLine).find((end) => end !== undefined);
  if (line === undefined) {
    const start = clean(output).trim().slice(0, 200);
    return {
      ok: false,
      error: `${what}: no JSON in the output${start ? `, which begins with: ${start}` : ""}`,
    };
  }
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { ok: false, error: `${what}: not JSON: ${clean(line).slice(0, 200)}` };
  }
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  const issue = result.error.issues[0];
  return {
    ok: false,
    error: `${what}: ${issue?.path.join(".") ?? ""}: ${clean(issue?.message ?? "invalid")}`,
  };
}

function endOfLine(line: string): string | undefined {
  const start = line.indexOf('{"');
  return start >= 0 && line.trimEnd().endsWith("}") ? line.slice(start) : undefined;
}
