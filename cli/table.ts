/** A plain table: columns as wide as they need, the last one wrapped into what is left. */

import Table from "cli-table3";

const GAP = 2;
const NARROWEST_LAST = 20;
const NARROWEST = 8;
const WIDEST = 26;

/** Width of a text without its colour codes. */
function visibleLength(text: string): number {
  return text.replace(/\u001b\[[0-9;]*m/g, "").length;
}

/**
 * @param rows rows of equal length, the header first
 * @param width columns of the terminal; no line is longer
 */
export function renderTable(rows: readonly (readonly string[])[], width: number): string {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.min(WIDEST, Math.max(...rows.map((row) => visibleLength(row[column] ?? "")))),
  );
  const others = () => widths.slice(0, -1).reduce((sum, each) => sum + each + GAP, 0);
  // What does not fit is taken from the widest: names are longer than words.
  for (let excess = others() + NARROWEST_LAST - width; excess > 0; excess -= 1) {
    const widest = Math.max(...widths.slice(0, -1));
    if (widest > NARROWEST) widths[widths.indexOf(widest)] = widest - 1;
  }
  const used = others();
  const colWidths = widths.map((each) => each + GAP);
  colWidths[columns - 1] = Math.max(NARROWEST_LAST, width - used);
  const border = Object.fromEntries(
    [
      ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left"],
      ["bottom-right", "left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"],
    ]
      .flat()
      .map((name) => [name, ""]),
  );
  const table = new Table({
    chars: border,
    style: { "padding-left": 0, "padding-right": GAP, head: [], border: [], compact: true },
    colWidths,
    wordWrap: true,
    wrapOnWordBoundary: true,
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** Words behind a label, wrapped so that no line is longer than `width`. */
export function renderList(label: string, words: readonly string[], width: number): string {
  const lines = [label];
  for (const word of words.length > 0 ? words : ["none"]) {
    const last = lines.length - 1;
    const line = `${lines[last]}${lines[last] === label ? "" : " "}${word}`;
    if (line.length <= width || lines[last]?.trim() === "") lines[last] = line;
    else lines.push(" ".repeat(label.length) + word);
  }
  return lines.join("\n");
}
