import fc from "fast-check";
import { secret, UNKNOWN, type Value, type ValueMap } from "../../../lab/wire";

/** Any value that a state or a message may hold, secrets and unknowns included. */
export const anyValue: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<Value>(null, true, false, UNKNOWN),
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .map((number) => (number === 0 ? 0 : number)),
    fc.string({ unit: "grapheme" }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie("value"), { maxKeys: 4, noNullPrototype: true }),
    tie("value").map((value) => secret(value)),
  ),
})).value;

export const anyMap: fc.Arbitrary<ValueMap> = fc.dictionary(fc.string(), anyValue, {
  maxKeys: 5,
  noNullPrototype: true,
});
