/** What a terminal gets and a pipe does not: colour and width. */

import picocolors from "picocolors";

/** Colours on a terminal; NO_COLOR, --no-color and FORCE_COLOR are honoured (picocolors). */
export const colour = picocolors.createColors(
  picocolors.isColorSupported && (process.stdout.isTTY || "FORCE_COLOR" in process.env),
);

/** Columns that tables may use: the terminal's, between 60 and 120; 100 in a pipe. */
export function tableWidth(): number {
  const columns = process.stdout.isTTY ? process.stdout.columns : 100;
  return Math.max(60, Math.min(120, columns));
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
