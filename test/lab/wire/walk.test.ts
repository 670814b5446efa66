import fc from "fast-check";
import {
  equalValues,
  hasSecret,
  hasUnknown,
  isSecret,
  lowerOutputs,
  lowerReferences,
  mapValue,
  markSecret,
  OUTPUT_VALUE,
  RESOURCE_REFERENCE,
  secret,
  secretKeys,
  SIGNATURE_KEY,
  UNKNOWN,
  unwrap,
  unwrapSecrets,
} from "../../../lab/wire";
import { value, valueMap } from "./arbitrary";

describe("secrets", () => {
  it("are wrapped once", () => {
    fc.assert(fc.property(value, (v) => expect(secret(secret(v))).toEqual(secret(v))));
  });

  it("leave no mark behind when unwrapped, and unwrapping twice changes nothing", () => {
    fc.assert(
      fc.property(value, (v) => {
        const plain = unwrapSecrets(v);
        expect(hasSecret(plain)).toBe(false);
        expect(unwrapSecrets(plain)).toEqual(plain);
      }),
    );
  });

  it("are found again after unwrapping and marking the same properties", () => {
    fc.assert(
      fc.property(valueMap, (map) => {
        const keys = secretKeys(map);
        const marked = markSecret(unwrapSecrets(map), keys);
        expect(secretKeys(marked)).toEqual(keys);
        expect(equalValues(unwrapSecrets(marked), unwrapSecrets(map))).toBe(true);
      }),
    );
  });

  it("are marked as a whole property", () => {
    expect(markSecret({ a: { b: secret("x") }, c: 1 }, ["a", "missing"])).toEqual({
      a: secret({ b: "x" }),
      c: 1,
    });
  });

  it("that hold a ciphertext or nothing are secrets too", () => {
    const encrypted = { ...secret(null), value: undefined, ciphertext: "v1:n:c" };
    expect(isSecret(JSON.parse(JSON.stringify(encrypted)))).toBe(true);
    expect(unwrap({ [SIGNATURE_KEY]: secret(1)[SIGNATURE_KEY]! })).toBe(null);
  });
});

describe("mapValue", () => {
  it("rebuilds an equal tree when nothing is changed", () => {
    fc.assert(
      fc.property(value, (v) =>
        expect(
          equalValues(
            mapValue(v, (item) => item),
            v,
          ),
        ).toBe(true),
      ),
    );
  });
});

describe("hasUnknown", () => {
  it.each([
    [UNKNOWN, true],
    [{ a: [1, { b: secret(UNKNOWN) }] }, true],
    [{ a: [1, { b: secret("known") }] }, false],
    [{ [UNKNOWN]: 1 }, false],
  ])("%j: %s", (v, expected) => {
    expect(hasUnknown(v)).toBe(expected);
  });
});

describe("lowerReferences", () => {
  it("gives the id of a custom resource and the URN of a component", () => {
    const reference = { [SIGNATURE_KEY]: RESOURCE_REFERENCE, urn: "urn:x" };
    expect(lowerReferences({ a: [{ ...reference, id: "i-1" }], b: reference })).toEqual({
      a: ["i-1"],
      b: "urn:x",
    });
  });
});

describe("lowerOutputs", () => {
  it("gives the value, the secret or the unknown", () => {
    const output = { [SIGNATURE_KEY]: OUTPUT_VALUE, dependencies: ["urn:x"] };
    expect(
      lowerOutputs([
        { ...output, value: 1 },
        { ...output, value: "s", secret: true },
        output,
        { ...output, secret: true },
        { ...output, value: null },
      ]),
    ).toEqual([1, secret("s"), UNKNOWN, secret(UNKNOWN), null]);
  });
});

describe("equalValues", () => {
  it("holds for a copy and ignores the order of keys", () => {
    fc.assert(
      fc.property(valueMap, (map) => {
        const reversed = Object.fromEntries(Object.entries(map).reverse());
        expect(equalValues(map, reversed)).toBe(true);
      }),
    );
  });

  it.each([
    [{ a: null }, {}],
    [{ a: 1 }, { b: 1 }],
    [
      [1, 2],
      [2, 1],
    ],
    [[], {}],
    ["1", 1],
    [null, undefined],
    [secret("x"), "x"],
  ])("%j differs from %j", (a, b) => {
    expect(equalValues(a, b)).toBe(false);
    expect(equalValues(b, a)).toBe(false);
  });
});
