/** Marks of Pulumi's wire format (sdk/nodejs/runtime/rpc.ts). */
const specialKey = "4dabf18193072939515e22adb298388d";
const secretMark = "1b47061264138c4ac30d75fd1eb44270";
export const unknownMark = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export type Properties = Record<string, unknown>;

/** A value that the engine has to treat as secret. */
export function secret(value: unknown): Properties {
  return { [specialKey]: secretMark, value };
}

function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function rewrite(value: unknown, onSecret: (inner: unknown) => unknown): unknown {
  if (value === unknownMark) return "<unknown>";
  if (Array.isArray(value)) return value.map((item) => rewrite(item, onSecret));
  if (!isObject(value)) return value;
  if (value[specialKey] === secretMark) return onSecret(rewrite(value["value"], onSecret));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, rewrite(item, onSecret)]),
  );
}

/** The value as a person reads it in a journal: `{ secret: … }` and `<unknown>` instead of the marks. */
export function legible(value: unknown): unknown {
  return rewrite(value, (inner) => ({ secret: inner }));
}

/** The value without any secret mark, as it reaches the cloud. */
export function plain(value: unknown): unknown {
  return rewrite(value, (inner) => inner);
}
