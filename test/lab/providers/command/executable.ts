import { join } from "node:path";
import { isMap, mapEntries, secret, type ValueMap } from "../../../../lab/wire";
import { urnOf } from "../client";

/** How the project's own plugin is started. */
export const ours = [join(__dirname, "../../../../lab/bin/pulumi-resource-command")];

export const remote = urnOf("command:remote:Command");
export const local = urnOf("command:local:Command");
export const copy = urnOf("command:remote:CopyToRemote");

/** A connection as Check leaves it: defaults filled in, keys and passwords marked, secret as a whole. */
export function connectionTo(port: number, more: ValueMap = {}): ValueMap {
  const fields = { host: "127.0.0.1", port, user: "root", dialErrorLimit: 0, perDialTimeout: 15 };
  return secret(markKeys({ ...fields, ...more }));
}

function markKeys(fields: ValueMap): ValueMap {
  const isKey = (name: string) => ["password", "privateKey", "privateKeyPassword"].includes(name);
  return mapEntries(fields, (value, name) => {
    if (isKey(name)) return secret(value);
    return isMap(value) ? markKeys(value) : value;
  });
}
