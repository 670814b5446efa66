/** What the controller logs in with: one private key, or the ssh agent's. */

import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Socket } from "node:net";
import { type ParsedKey, OpenSSHAgent, utils } from "ssh2";
import { Budget } from "./budget";
import { DialFailure } from "./failure";

export type Credential =
  | { readonly kind: "key"; readonly key: ParsedKey; readonly label: string }
  | { readonly kind: "agent"; readonly agent: Agent; readonly label: string };

const AGENT_TIMEOUT = 2_000;

/** The agent of SSH_AUTH_SOCK, whose connections can be closed even while it hangs. */
export class Agent extends OpenSSHAgent {
  readonly #streams = new Set<Socket>();

  override getStream(callback: Parameters<OpenSSHAgent["getStream"]>[0]): void {
    super.getStream((error, stream) => {
      if (stream) {
        this.#streams.add(stream as Socket);
        stream.once("close", () => this.#streams.delete(stream as Socket));
      }
      callback(error, stream);
    });
  }

  /** Number of keys it offers; an error where it does not answer. */
  async countKeys(): Promise<number> {
    return new Budget(AGENT_TIMEOUT).phase<number>(
      AGENT_TIMEOUT,
      ({ resolve, reject }) => {
        this.getIdentities((error, keys) => {
          if (error) reject(error);
          else resolve(keys?.length ?? 0);
        });
        return () => undefined;
      },
      () => {
        this.close();
        return new Error("no answer");
      },
    );
  }

  close(): void {
    for (const stream of this.#streams) stream.destroy();
  }
}

/** Reads every key file, and asks the agent, once for all hosts. */
export class Credentials {
  readonly #found = new Map<string | null, Promise<Credential>>();

  /**
   * @param keyPath `~` is the operator's home; null means the ssh agent
   * @throws DialFailure that says what is wrong with the key
   */
  get(keyPath: string | null): Promise<Credential> {
    let found = this.#found.get(keyPath);
    if (!found) {
      found = keyPath === null ? findAgent() : readKey(keyPath);
      this.#found.set(keyPath, found);
    }
    return found;
  }

  /** Closes what still talks to the agent. */
  async close(): Promise<void> {
    const agent = await this.#found.get(null)?.catch(() => undefined);
    if (agent?.kind === "agent") agent.agent.close();
  }
}

/** `~` in a key's path is the operator's home. */
export function expandHome(path: string): string {
  return path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
}

async function readKey(keyPath: string): Promise<Credential> {
  const refuse = (why: string) =>
    new DialFailure("login-refused", `no login with ${keyPath}: ${why}`);
  let text: Buffer;
  try {
    text = await readFile(expandHome(keyPath));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw refuse(
      code === "ENOENT"
        ? "there is no such file"
        : code === "EACCES"
          ? "it may not be read"
          : `it cannot be read (${code})`,
    );
  }
  const parsed = utils.parseKey(text);
  if (parsed instanceof Error)
    throw refuse(
      /encrypted|passphrase/i.test(parsed.message)
        ? "it is encrypted; load it into the ssh agent and leave ssh_key out"
        : "it is no private key that can be read",
    );
  const key = Array.isArray(parsed) ? (parsed as ParsedKey[])[0] : parsed;
  if (!key?.isPrivateKey()) throw refuse("it is a public key; the private one is needed");
  return { kind: "key", key, label: keyPath };
}

async function findAgent(): Promise<Credential> {
  const refuse = (why: string) => new DialFailure("login-refused", `no key to log in with: ${why}`);
  const path = process.env["SSH_AUTH_SOCK"];
  if (!path) throw refuse("ssh_key is not set, and SSH_AUTH_SOCK names no ssh agent");
  const agent = new Agent(path);
  const keys = await agent.countKeys().catch(() => {
    throw refuse("the ssh agent of SSH_AUTH_SOCK does not answer");
  });
  if (keys === 0) throw refuse("the ssh agent holds no keys");
  return { kind: "agent", agent, label: "the keys of the ssh agent" };
}
