/** The connection of a remote.Command, built field by field: an unknown field would print the private key. */

import { readFileSync } from "node:fs";
import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { type Connection, type Jump } from "../hosts/plan/types";
import { expandHome } from "../probe/credentials";

/** Seconds for one dial; the probe has just shown that the host answers. */
const DIAL_SECONDS = 10;
/** Failed dials after the first; logins that are refused are tried again too, so few. */
const DIAL_ERRORS = 2;

const keys = new Map<string, pulumi.Output<string>>();

/** The key's text as a secret; read once however many hosts share it. Undefined where it cannot be read: the probe has said so. */
function privateKey(path: string): pulumi.Output<string> | undefined {
  const known = keys.get(path);
  if (known) return known;
  try {
    const key = pulumi.secret(readFileSync(expandHome(path), "utf8"));
    keys.set(path, key);
    return key;
  } catch {
    return undefined;
  }
}

function credentials(keyPath: string | null) {
  if (keyPath !== null) {
    const key = privateKey(keyPath);
    return key ? { privateKey: key } : {};
  }
  const agent = process.env["SSH_AUTH_SOCK"];
  return agent === undefined ? {} : { agentSocketPath: agent };
}

function proxyOf(jump: Jump | null) {
  if (jump === null) return {};
  const { host, port, user, keyPath, hostKey } = jump;
  const pinned = hostKey === null ? {} : { hostKey };
  const limits = { dialErrorLimit: DIAL_ERRORS, perDialTimeout: DIAL_SECONDS };
  return { proxy: { host, port, user, ...credentials(keyPath), ...pinned, ...limits } };
}

export function connectionInputs(
  connection: Connection,
): command.types.input.remote.ConnectionArgs {
  const { host, port, user, keyPath, hostKey, jump } = connection;
  return {
    host,
    port,
    user,
    ...credentials(keyPath),
    ...(hostKey === null ? {} : { hostKey }),
    ...proxyOf(jump),
    dialErrorLimit: DIAL_ERRORS,
    perDialTimeout: DIAL_SECONDS,
  };
}
