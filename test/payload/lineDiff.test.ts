import fc from "fast-check";
import { lineDiff } from "../../payload/lineDiff";

describe("lineDiff", () => {
  it.each([
    ["equal texts", "a\nb", "a\nb", ""],
    ["a changed line", "a\nb\nc", "a\nx\nc", "-b\n+x"],
    ["an added line", "a\nc", "a\nb\nc", "+b"],
    ["a removed line", "a\nb\nc", "a\nc", "-b"],
    ["nothing before", "", "a", "-\n+a"],
  ])("shows %s", (_name, is, want, expected) => {
    expect(lineDiff(is, want)).toBe(expected);
  });

  it("cuts what is too long", () => {
    expect(lineDiff("a\nb\nc", "x", 2)).toBe("-a\n-b\n… 2 more lines");
  });

  it("names exactly the lines that differ in number", () => {
    const lines = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 8 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = lineDiff(before.join("\n"), after.join("\n"), 1000).split("\n");
        const removed = diff.filter((line) => line.startsWith("-")).length;
        const added = diff.filter((line) => line.startsWith("+")).length;
        expect(added - removed).toBe(Math.max(1, after.length) - Math.max(1, before.length));
      }),
    );
  });
});
