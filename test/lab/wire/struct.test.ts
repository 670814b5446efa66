import fc from "fast-check";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { equalValues, fromStruct, isUnknown, toStruct, UNKNOWN, UNKNOWNS } from "../../../lab/wire";
import { valueMap } from "./arbitrary";

describe("toStruct and fromStruct", () => {
  it("give back what went in, through bytes", () => {
    fc.assert(
      fc.property(valueMap, (map) => {
        const bytes = toStruct(map).serializeBinary();
        const back = fromStruct(Struct.deserializeBinary(bytes));
        expect(equalValues(back, map)).toBe(true);
      }),
    );
  });

  it("keep a null and leave out what is undefined", () => {
    expect(fromStruct(toStruct({ a: null, b: undefined, c: [null] }))).toEqual({
      a: null,
      c: [null],
    });
  });

  it("let a key named __proto__ change nothing", () => {
    const map = JSON.parse('{"__proto__": {"polluted": true}, "a": 1}') as Record<string, never>;
    const back = fromStruct(toStruct(map));
    expect(Object.keys(back)).toEqual(["a"]);
    expect("polluted" in back).toBe(false);
  });

  it("read a missing struct as empty", () => {
    expect(fromStruct(undefined)).toEqual({});
  });
});

describe("isUnknown", () => {
  it("knows every typed form and nothing else", () => {
    expect([...UNKNOWNS].map(isUnknown)).toEqual(Array.from({ length: 7 }, () => true));
    expect([[UNKNOWN], { a: UNKNOWN }, `${UNKNOWN}x`, "", null, undefined].map(isUnknown)).toEqual(
      Array.from({ length: 6 }, () => false),
    );
  });
});
