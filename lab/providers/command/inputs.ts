import { type Value, type ValueMap } from "../../wire";
import { type Fields } from "./fields";

/** How to reach one SSH server. Times in seconds. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  /** PEM or OpenSSH contents, not a path. */
  readonly privateKey?: string;
  readonly privateKeyPassword?: string;
  /** @default the environment's SSH_AUTH_SOCK */
  readonly agentSocketPath?: string;
  /** Key that the server must show, in authorized_keys format. @default any key is taken */
  readonly hostKey?: string;
  /** Failed dials that are forgiven; -1 for any number. @default 10 */
  readonly dialErrorLimit: number;
  /** Limit of one dial; 0 for the operating system's own. @default 15 */
  readonly perDialTimeout: number;
}

export interface Connection extends Endpoint {
  /** A host that the connection goes through. */
  readonly proxy?: Endpoint;
}

export type Logging = "stdout" | "stderr" | "stdoutAndStderr" | "none";

/** What local and remote commands have in common. */
export interface CommandInputs {
  readonly create?: string;
  readonly update?: string;
  readonly delete?: string;
  readonly stdin?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** @default stdoutAndStderr */
  readonly logging?: Logging;
  /** @default true */
  readonly addPreviousOutputInEnv?: boolean;
}

export interface RemoteCommandInputs extends CommandInputs {
  readonly connection: Connection;
}

export interface LocalCommandInputs extends CommandInputs {
  /** @default ["/bin/sh", "-c"] */
  readonly interpreter?: readonly string[];
  /** @default the provider's working directory, which is the program's */
  readonly dir?: string;
  readonly assetPaths?: readonly string[];
  readonly archivePaths?: readonly string[];
}

export interface CopyInputs {
  readonly connection: Connection;
  readonly source: ValueMap;
  readonly remotePath: string;
}

/** What the last run of a command printed. */
export interface CommandOutputs {
  readonly stdout: string;
  readonly stderr: string;
}

const endpoint: Fields["fields"] = {
  host: { type: "string", required: true },
  port: { type: "number", fallback: 22 },
  user: { type: "string", fallback: "root" },
  password: { type: "string" },
  privateKey: { type: "string" },
  privateKeyPassword: { type: "string" },
  agentSocketPath: { type: "string" },
  hostKey: { type: "string" },
  dialErrorLimit: { type: "number", fallback: 10 },
  perDialTimeout: { type: "number", fallback: 15 },
};

const proxy: Fields = { name: "remote.ProxyConnection", fields: endpoint };

const connection: Fields = {
  name: "remote.Connection",
  fields: { ...endpoint, proxy: { type: { object: proxy } } },
};

const lifecycle: Fields["fields"] = {
  create: { type: "string" },
  update: { type: "string" },
  delete: { type: "string" },
  triggers: { type: "list" },
};

const run: Fields["fields"] = {
  stdin: { type: "string" },
  environment: { type: "string map" },
  logging: { type: { oneOf: ["stdout", "stderr", "stdoutAndStderr", "none"] } },
  addPreviousOutputInEnv: { type: "boolean" },
};

const localRun: Fields["fields"] = {
  ...run,
  interpreter: { type: "strings" },
  dir: { type: "string" },
  assetPaths: { type: "strings" },
  archivePaths: { type: "strings" },
};

export const remoteCommandFields: Fields = {
  name: "remote.CommandInputs",
  fields: {
    connection: { type: { object: connection }, required: true },
    ...lifecycle,
    ...run,
  },
};

export const localCommandFields: Fields = {
  name: "local.CommandInputs",
  fields: { ...lifecycle, ...localRun },
};

export const localRunFields: Fields = {
  name: "local.RunInputs",
  fields: { command: { type: "string", required: true }, ...localRun },
};

export const copyFields: Fields = {
  name: "remote.CopyToRemoteInputs",
  fields: {
    connection: { type: { object: connection }, required: true },
    source: { type: "asset or archive", required: true },
    remotePath: { type: "string", required: true },
    triggers: { type: "list" },
  },
};

/** Fields of a connection that are keys and passwords, besides the connection as a whole. */
export const connectionSecrets: readonly string[] = [
  "connection",
  ...["password", "privateKey", "privateKeyPassword"].flatMap((field) => [
    `connection.${field}`,
    `connection.proxy.${field}`,
  ]),
];

/** Fields of a connection that an error text needs to be of any use. */
export const connectionPublicFields: readonly string[] = Object.keys(endpoint).filter(
  (field) => !connectionSecrets.includes(`connection.${field}`),
);

/** The values as what they were checked to be. Nulls count as absent. */
export function readInputs<Inputs>(values: ValueMap): Inputs {
  const dropNulls = (value: Value): Value | undefined =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([, item]) => item !== null)
            .map(([key, item]) => [key, dropNulls(item)!]),
        )
      : value;
  return dropNulls(values) as Inputs;
}

/** A connection as stored by any version, with today's defaults for what is missing. */
export function withDefaults(stored: Partial<Endpoint> & { host: string }): Endpoint {
  return { port: 22, user: "root", dialErrorLimit: 10, perDialTimeout: 15, ...stored };
}
