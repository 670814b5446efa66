import { decodeInventory } from "../../hosts/encoding";
import { MAX_BYTES } from "../../hosts/limits";

describe("decodeInventory", () => {
  it("gives the text, a BOM and names of any alphabet included", () => {
    const text = "\ufeffhosts: {a: {note: größer 漢字 😀}}\n";
    expect(decodeInventory(Buffer.from(text))).toBe(text);
    expect(decodeInventory(Buffer.alloc(0))).toBe("");
    expect(decodeInventory(Buffer.from("h"))).toBe("h");
  });

  it.each(["utf16le", "utf16be"])("names %s", (encoding) => {
    const bytes = Buffer.from("\ufeffhosts: {}\n", "utf16le");
    expect(() => decodeInventory(encoding === "utf16le" ? bytes : bytes.swap16())).toThrow(
      "is UTF-16; save it as UTF-8",
    );
  });

  it("refuses what would be replaced", () => {
    expect(() => decodeInventory(Buffer.from("note: caf\xe9\n", "latin1"))).toThrow(
      "is not UTF-8 text",
    );
  });

  it("leaves a text that is too long, and perhaps cut, to the bound", () => {
    const cut = Buffer.concat([Buffer.alloc(MAX_BYTES, "x"), Buffer.from([0xc3])]);
    expect(decodeInventory(cut)).toHaveLength(MAX_BYTES + 1);
  });
});
