import fc from "fast-check";
import { secret, UNKNOWN, type Value, type ValueMap } from "../../../lab/wire";

const leaf: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
  fc.string({ unit: "grapheme" }),
  fc.constant(UNKNOWN),
);

const key = fc.string().filter((name) => name !== "__proto__");

const { value: tree } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4 }),
    tie("value").map((inner) => secret(inner)),
  ),
}));

/** Any value, with unknowns and secrets at any depth. */
export const value: fc.Arbitrary<Value> = tree;

/** Any set of properties. */
export const valueMap: fc.Arbitrary<ValueMap> = fc.dictionary(key, tree, { maxKeys: 4 });
