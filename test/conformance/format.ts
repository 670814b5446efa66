/** Longest text that stays on one line. */
const width = 160;

/**
 * JSON with short values on one line and long ones broken up: golden files that a person can read and a
 * diff tool can compare.
 */
export function formatJson(value: unknown, indent = ""): string {
  const flat = JSON.stringify(value);
  if (flat.length + indent.length <= width || typeof value !== "object" || value === null)
    return flat;
  const inner = `${indent} `;
  if (Array.isArray(value)) {
    return `[\n${value.map((item) => inner + formatJson(item, inner)).join(",\n")}\n${indent}]`;
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const lines = entries.map(
    ([key, item]) => `${inner}${JSON.stringify(key)}: ${formatJson(item, inner)}`,
  );
  return `{\n${lines.join(",\n")}\n${indent}}`;
}
