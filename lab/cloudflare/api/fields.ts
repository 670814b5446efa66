import { malformed } from "./errors";

type Body = Readonly<Record<string, unknown>>;

/** A text that must be there. @throws ApiError */
export function text(body: Body, key: string, longest = 255): string {
  const value = body[key];
  if (typeof value !== "string" || value === "" || value.length > longest) {
    throw malformed(`${key} must be a string of 1 to ${longest} characters`);
  }
  return value;
}

export function optionalText(body: Body, key: string): string | undefined {
  return body[key] === undefined || body[key] === null ? undefined : text(body, key);
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a duration such as "8760h" or "2h45m", null for "forever". @throws ApiError */
export function duration(value: string, key: string): number | null {
  if (value === "forever") return null;
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== value) {
    throw malformed(`${key} must be a duration such as "8760h"`);
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? 0), 0);
}
