/** A plain table: columns as wide as they need, the last one wrapped into what is left. */

import Table from "cli-table3";

const GAP = 2;
const NARROWEST_LAST = 20;
const NARROWEST = 8;
const WIDEST = 26;
/** A name that is cut cannot be pasted, and two of them may look alike. */
const WIDEST_NAME = 40;

/** Width of a text without its colour codes. */
function visibleLength(text: string): number {
  return text.replace(/\u001b\[[0-9;]*m/g, "").length;
}

type Rows = readonly (readonly string[])[];

/** Width that a column has at least when every cell is measured so. */
function columnWidths(rows: Rows, measure: (cell: string) => number): number[] {
  return Array.from({ length: rows[0]?.length ?? 0 }, (_, column) =>
    Math.min(
      column === 0 ? WIDEST_NAME : WIDEST,
      Math.max(...rows.map((row) => measure(row[column] ?? ""))),
    ),
  );
}

function longestWord(cell: string): number {
  return Math.max(...cell.split(" ").map(visibleLength));
}

/** Columns that all but the last one take. */
function widthOfOthers(widths: readonly number[]): number {
  return widths.slice(0, -1).reduce((sum, each) => sum + each + GAP, 0);
}

/**
 * The same rows, or, where words would be cut at this width, rows in which the cells of some columns stand in the last
 * one, before its own text.
 * @param folded indices of those columns; a cell `-` is left out
 */
export function foldColumns(rows: Rows, folded: readonly number[], width: number): Rows {
  if (widthOfOthers(columnWidths(rows, longestWord)) + NARROWEST_LAST <= width) return rows;
  return rows.map((row, index) => {
    const kept = row.slice(0, -1).filter((_, column) => !folded.includes(column));
    const last = row.at(-1) ?? "";
    if (index === 0) return [...kept, last];
    const moved = folded.map((column) => row[column] ?? "-").filter((cell) => cell !== "-");
    return [...kept, [moved.join(", "), last].filter((text) => text !== "").join("; ")];
  });
}

/**
 * @param rows rows of equal length, the header first
 * @param width columns of the terminal; no line is longer
 */
export function renderTable(rows: Rows, width: number): string {
  const columns = rows[0]?.length ?? 0;
  const widths = columnWidths(rows, visibleLength);
  const words = columnWidths(rows, longestWord);
  const others = () => widthOfOthers(widths);
  for (let excess = others() + NARROWEST_LAST - width; excess > 0; excess -= 1) {
    // From where lines break anyway; and only then from the widest, whose words are cut.
    const slack = widths.slice(0, -1).map((each, column) => each - (words[column] ?? 0));
    const most = Math.max(...slack);
    const widest = Math.max(...widths.slice(0, -1));
    const column = most > 0 ? slack.indexOf(most) : widths.indexOf(widest);
    if (most > 0 || widest > NARROWEST) widths[column] = (widths[column] ?? 0) - 1;
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
