import fc from "fast-check";
import { markOutputs, remarkSecrets } from "../../../lab/engine/wire/secrecy";
import { blindMap, equalContent } from "../../../lab/engine/wire/compare";
import { equalValues, hasSecret, secret, unwrapSecrets } from "../../../lab/wire";
import { anyMap, anyValue } from "./values";

describe("secrets", () => {
  it("are gone after reveal, and blind shows none", () => {
    fc.assert(
      fc.property(anyMap, (map) => {
        expect(hasSecret(unwrapSecrets(map))).toBe(false);
        expect(hasSecret(blindMap(map))).toBe(false);
      }),
    );
  });

  it("make no difference to what a value is, only to how it compares", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(equalContent(secret(value), unwrapSecrets(value))).toBe(true);
        expect(equalValues(secret(unwrapSecrets(value)), unwrapSecrets(value))).toBe(false);
      }),
    );
  });

  it.each([
    ["by name", { a: "x", b: "y" }, { a: secret("x") }, { a: secret("x"), b: "y" }],
    [
      "inside maps",
      { a: { b: "x", c: "y" } },
      { a: { b: secret("x") } },
      { a: { b: secret("x"), c: "y" } },
    ],
    [
      "as a whole where a list holds one",
      { a: ["x", "y"] },
      { a: ["x", secret("y")] },
      { a: secret(["x", "y"]) },
    ],
    ["not where there is none", { a: "x" }, { a: "x", b: secret("z") }, { a: "x" }],
  ])("are marked again %s", (_, outputs, inputs, expected) => {
    expect(remarkSecrets(outputs, inputs)).toEqual(expected);
  });

  it("are marked where the program or an input of the same name says so", () => {
    const outputs = { named: "a", likeInput: "b", other: "c" };
    const inputs = { likeInput: secret("b"), missing: secret("d") };
    expect(markOutputs(outputs, inputs, ["named", "absent"])).toEqual({
      named: secret("a"),
      likeInput: secret("b"),
      other: "c",
    });
  });
});
