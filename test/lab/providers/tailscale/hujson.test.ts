import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  canonicalHujson,
  hujsonError,
  minimizeHujson,
} from "../../../../lab/providers/tailscale/hujson";

const layouts = JSON.parse(readFileSync(join(__dirname, "fixtures", "layouts.json"), "utf8")) as [
  string,
  string,
  boolean,
][];

describe("canonicalHujson", () => {
  // The fixture holds pairs of layouts of one text, and whether Go's hujson.Format makes the same of both.
  it("takes two layouts for the same text when the official formatter does", () => {
    const wrong = layouts.filter(
      ([one, other, isSame]) => (canonicalHujson(one) === canonicalHujson(other)) !== isSame,
    );
    expect(wrong).toEqual([]);
  });

  const policy = `{
  // Who may give tags.
  "tagOwners": {"tag:a": ["autogroup:admin"]},

  "grants": [
    {"src": ["tag:a"], "dst": ["tag:a"], "ip": ["tcp:8770"]},
  ],
}
`;

  it.each([
    ["indentation", (text: string) => text.replace(/^ +/gm, "\t\t")],
    ["spaces around words", (text: string) => text.replaceAll(": ", " :   ")],
    ["Windows line ends", (text: string) => text.replaceAll("\n", "\r\n")],
    ["more empty lines", (text: string) => text.replace("\n\n", "\n\n\n\n")],
    ["one missing trailing comma", (text: string) => text.replace("]},\n  ],", "]}\n  ],")],
  ])("overlooks %s", (_, change) => {
    expect(change(policy)).not.toBe(policy);
    expect(canonicalHujson(change(policy))).toBe(canonicalHujson(policy));
  });

  it.each([
    ["a comment", (text: string) => text.replace("may give", "can give")],
    [
      "the order of keys",
      (text: string) =>
        text.replace('"src": ["tag:a"], "dst": ["tag:a"]', '"dst": ["tag:a"], "src": ["tag:a"]'),
    ],
    ["a value", (text: string) => text.replace("8770", "8771")],
    ["an object broken into lines", (text: string) => text.replace('{"src"', '{\n"src"')],
    ["the last empty line between two sections", (text: string) => text.replace("\n\n", "\n")],
  ])("sees %s", (_, change) => {
    expect(canonicalHujson(change(policy))).not.toBe(canonicalHujson(policy));
  });

  it("keeps colons and slashes within strings", () => {
    expect(canonicalHujson('{"a": "x: // y"}')).not.toBe(canonicalHujson('{"a": "x:// y"}'));
  });
});

describe("hujsonError", () => {
  it("says where a text stops being HuJSON", () => {
    expect([hujsonError('{"a": [1, /* x */ 2,],}'), hujsonError('{\n  "a" 1\n}')]).toEqual([
      undefined,
      "ColonExpected at line 2, column 7",
    ]);
  });
});

describe("minimizeHujson", () => {
  it("leaves plain JSON", () => {
    expect(minimizeHujson('{ // x\n "a": [1, 2,],\n}')).toBe('{"a":[1,2]}');
  });
});
