import { connect as connectSocket } from "node:net";
import { type AuthHandlerMiddleware, type AuthenticationType, utils } from "ssh2";
import { type Endpoint } from "./inputs";

type Attempt = Parameters<Parameters<AuthHandlerMiddleware>[2]>[0];

/** Ways to log in, best first, and what was tried of them. */
export interface Login {
  readonly handler: AuthHandlerMiddleware;
  readonly attempted: readonly string[];
}

/**
 * The ways that an endpoint gives to log in: private key, password (asked for directly or interactively), agent.
 * @throws Error for a key that cannot be read; the text tells nothing of it
 */
export async function createLogin(endpoint: Endpoint): Promise<Login> {
  const attempts = [...keyAttempts(endpoint), ...passwordAttempts(endpoint)];
  const agent = endpoint.agentSocketPath ?? process.env["SSH_AUTH_SOCK"];
  if (agent) {
    const problem = await agentProblem(agent);
    if (!problem) attempts.push({ type: "agent", username: endpoint.user, agent });
    // A stale agent is no reason to fail a login that can be had without it.
    else if (attempts.length === 0) throw problem;
  }
  const attempted: string[] = [];
  const handler = ((left: AuthenticationType[] | null, _partial, next) => {
    for (let attempt = attempts.shift(); attempt; attempt = attempts.shift()) {
      const method = attempt.type === "agent" ? "publickey" : attempt.type;
      if (left && !left.includes(method)) continue;
      attempted.push(attempt.type);
      return next(attempt as Attempt);
    }
    return next(false as unknown as Attempt);
  }) as AuthHandlerMiddleware;
  return { handler, attempted };
}

type Planned =
  | { type: "publickey"; username: string; key: ReturnType<typeof readKey> }
  | { type: "password"; username: string; password: string }
  | { type: "keyboard-interactive"; username: string; prompt: Prompt }
  | { type: "agent"; username: string; agent: string };

type Prompt = (
  name: string,
  instructions: string,
  language: string,
  prompts: readonly unknown[],
  finish: (answers: string[]) => void,
) => void;

function keyAttempts(endpoint: Endpoint): Planned[] {
  if (endpoint.privateKey === undefined) return [];
  const key = readKey(endpoint.privateKey, endpoint.privateKeyPassword);
  return [{ type: "publickey", username: endpoint.user, key }];
}

function passwordAttempts({ user: username, password }: Endpoint): Planned[] {
  if (password === undefined) return [];
  const prompt: Prompt = (_name, _instructions, _language, prompts, finish) => {
    finish(prompts.map(() => password));
  };
  return [
    { type: "password", username, password },
    { type: "keyboard-interactive", username, prompt },
  ];
}

function readKey(text: string, passphrase: string | undefined) {
  const key = utils.parseKey(text, passphrase);
  if (!(key instanceof Error)) return Array.isArray(key) ? key[0]! : key;
  if (/encrypted/i.test(key.message) && passphrase === undefined) {
    throw new Error("ssh: this private key is passphrase protected");
  }
  throw new Error(`ssh: the private key cannot be read: ${key.message}`);
}

function agentProblem(path: string): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const socket = connectSocket(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      socket.destroy();
      const why = error.code === "ENOENT" ? "no such file or directory" : "connection refused";
      resolve(new Error(`dial unix ${path}: connect: ${why}`));
    });
  });
}
