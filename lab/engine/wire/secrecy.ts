import {
  hasSecret,
  isMap,
  isSecret,
  secret,
  signatureOf,
  type Value,
  type ValueMap,
} from "../../wire";

/**
 * Marks what a provider gave back in clear though it went in as a secret. A provider that does not understand secrets
 * gets plain values, so the mark has to be put back by name; where the secret was nested, the nearest property that
 * both sides have is marked as a whole.
 */
export function remarkSecrets(outputs: ValueMap, inputs: ValueMap): ValueMap {
  const result: ValueMap = { ...outputs };
  for (const [key, input] of Object.entries(inputs)) {
    const output = result[key];
    if (output === undefined || isSecret(output)) continue;
    if (isPlainMap(output) && isPlainMap(input)) result[key] = remarkSecrets(output, input);
    else if (hasSecret(input)) result[key] = secret(output);
  }
  return result;
}

/** Outputs with the properties marked that the program named, and those whose input of the same name is secret. */
export function markOutputs(
  outputs: ValueMap,
  inputs: ValueMap,
  additional: readonly string[],
): ValueMap {
  const result: ValueMap = { ...outputs };
  for (const [key, value] of Object.entries(outputs)) {
    if (additional.includes(key) || isSecret(inputs[key])) result[key] = secret(value);
  }
  return result;
}

function isPlainMap(value: Value): value is ValueMap {
  return isMap(value) && signatureOf(value) === undefined;
}
