import { foldColumns, renderTable } from "../../cli/table";

const ROWS = [
  ["HOST", "PROVIDER", "ACTION", "LISTENS", "REASON"],
  ["vast-10000001-long-name", "vast", "deploy", "all, firewalled", "status: ready"],
  ["h2", "hetzner", "skip", "-", ""],
];
const FOLDED = [1, 3];

describe("a table", () => {
  it("has every column where they fit, and breaks lines between words first", () => {
    expect(foldColumns(ROWS, FOLDED, 76)).toBe(ROWS);
    expect(renderTable(ROWS, 76)).toBe(
      `HOST                     PROVIDER  ACTION  LISTENS      REASON
vast-10000001-long-name  vast      deploy  all,         status: ready
                                           firewalled
h2                       hetzner   skip    -`,
    );
  });

  it("puts columns before the reason where a word would have to be cut", () => {
    const folded = foldColumns(ROWS, FOLDED, 60);
    expect(folded).toEqual([
      ["HOST", "ACTION", "REASON"],
      ["vast-10000001-long-name", "deploy", "vast, all, firewalled; status: ready"],
      ["h2", "skip", "hetzner"],
    ]);
    expect(renderTable(folded, 60)).toBe(
      `HOST                     ACTION  REASON
vast-10000001-long-name  deploy  vast, all, firewalled;
                                 status: ready
h2                       skip    hetzner`,
    );
  });

  it.each([60, 80, 100])("is never wider than %d columns, whatever the names", (width) => {
    const long = ROWS.map((row) => [row[0]?.repeat(4) ?? "", ...row.slice(1)]);
    const lines = renderTable(foldColumns(long, FOLDED, width), width).split("\n");
    expect(lines.filter((line) => line.length > width)).toEqual([]);
  });
});
