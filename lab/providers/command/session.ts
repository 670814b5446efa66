import { type Client, type ClientChannel } from "ssh2";

/** A server that has let us in opens a channel at once; this long it may take, in milliseconds. */
const OPEN_LIMIT = 30_000;

export interface Variables {
  /** A refusal is an error, and nothing is run. */
  readonly required: Readonly<Record<string, string>>;
  /** A refusal is told and passed over. */
  readonly optional: Readonly<Record<string, string>>;
}

/** A variable that the server does not take (AcceptEnv). */
export class RefusedVariable extends Error {
  constructor(readonly variable: string) {
    super(`could not set environment variable ${JSON.stringify(variable)}: ssh: setenv failed`);
  }
}

/**
 * Starts a command. The variables are sent first and each answer awaited, so that a command never runs without one
 * that it needs.
 */
export function startCommand(
  client: Client,
  command: string,
  variables: Variables,
  onRefused: (variable: string) => void,
  signal: AbortSignal,
): Promise<ClientChannel> {
  return underLimit(client, signal, async () => {
    const channel = await openSession(client);
    for (const [name, value] of Object.entries(variables.required)) {
      const accepted = await request(channel, (id) =>
        internals(client)._protocol.env(id, name, value, true),
      );
      if (!accepted) throw new RefusedVariable(name);
    }
    for (const [name, value] of Object.entries(variables.optional)) {
      const accepted = await request(channel, (id) =>
        internals(client)._protocol.env(id, name, value, true),
      );
      if (!accepted) onRefused(name);
    }
    const started = await request(channel, (id) =>
      internals(client)._protocol.exec(id, command, true),
    );
    if (!started) throw new Error("ssh: the server refused to run a command");
    return channel;
  });
}

/**
 * ssh2 1.17 has no public way to learn whether a variable was taken: its exec sends them without asking for an
 * answer. These are the parts of it that its own exec is made of; the version is pinned and tests hold them.
 */
interface Internals {
  readonly _chanMgr: { add(opened: OpenedCallback): number };
  readonly _protocol: {
    session(local: number, window: number, packet: number): void;
    env(remote: number, name: string, value: string, wantReply: boolean): void;
    exec(remote: number, command: string, wantReply: boolean): void;
  };
}

type OpenedCallback = ((error: Error | undefined, channel: ClientChannel) => void) & {
  type?: string;
};

interface ChannelInternals {
  readonly _callbacks: ((failed: boolean | Error) => void)[];
  readonly outgoing: { readonly id: number; readonly state: string };
  subtype?: string;
  allowHalfOpen: boolean;
}

/** Flow control window and packet size, in bytes, as ssh2 itself uses them. */
const WINDOW = 2 * 1024 * 1024;
const PACKET = 32 * 1024;

function internals(client: Client): Internals {
  return client as unknown as Internals;
}

function openSession(client: Client): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const opened: OpenedCallback = (error, channel) => {
      if (error) {
        reject(new Error(`ssh: rejected: ${error.message}`));
        return;
      }
      const parts = channel as unknown as ChannelInternals;
      parts.subtype = "exec";
      parts.allowHalfOpen = true;
      resolve(channel);
    };
    opened.type = "session";
    const local = internals(client)._chanMgr.add(opened);
    if (local === -1) reject(new Error("ssh: no free channel"));
    else internals(client)._protocol.session(local, WINDOW, PACKET);
  });
}

function request(channel: ClientChannel, send: (remote: number) => void): Promise<boolean> {
  const parts = channel as unknown as ChannelInternals;
  return new Promise((resolve, reject) => {
    if (parts.outgoing.state !== "open") {
      reject(new Error("ssh: the channel was closed"));
      return;
    }
    parts._callbacks.push((failed) => {
      if (failed instanceof Error) reject(failed);
      else resolve(!failed);
    });
    send(parts.outgoing.id);
  });
}

/** Fails when the connection ends, the signal aborts, or nothing has come of it in time. */
async function underLimit<T>(
  client: Client,
  signal: AbortSignal,
  open: () => Promise<T>,
): Promise<T> {
  let cleanUp: () => void = () => undefined;
  const broken = new Promise<never>((_, reject) => {
    const onClose = () => reject(new Error("EOF"));
    const onError = (error: Error) => reject(error);
    const onAbort = () => reject(signal.reason as Error);
    const timer = setTimeout(() => {
      reject(new Error(`ssh: no answer within ${OPEN_LIMIT / 1000} s to the opening of a channel`));
    }, OPEN_LIMIT);
    client.once("close", onClose).once("error", onError);
    signal.addEventListener("abort", onAbort, { once: true });
    cleanUp = () => {
      clearTimeout(timer);
      client.off("close", onClose).off("error", onError);
      signal.removeEventListener("abort", onAbort);
    };
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([open(), broken]);
  } finally {
    cleanUp();
  }
}
