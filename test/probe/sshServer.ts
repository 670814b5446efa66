/** SSH servers in this process, on loopback addresses of their own: sound ones, and ones that stop at a stage. */

import {
  createServer,
  type AddressInfo,
  type Server as NetServer,
  type Socket,
  connect,
} from "node:net";
import { type AuthContext, Server, type ServerChannel, utils } from "ssh2";
import { makeKeyPair } from "../../lab/fleet/keys";
import { type Connection } from "../../hosts/plan/types";

export interface Keys {
  readonly private: string;
  readonly public: string;
}

export function makeKeys(type: "ed25519" | "ecdsa" = "ed25519"): Keys {
  return type === "ed25519" ? makeKeyPair() : utils.generateKeyPairSync("ecdsa", { bits: 256 });
}

/** Where a server stops answering; it keeps the connection open. */
export type Stall = "auth" | "session" | "exec";

export interface ServerOptions {
  readonly address: string;
  readonly hostKeys: readonly Keys[];
  readonly operator: Keys;
  readonly stall?: Stall;
  /** What a command does; the default answers nothing and ends with 0. */
  readonly run?: (channel: ServerChannel, command: string) => void;
  readonly forwards?: boolean;
  readonly user?: string;
}

export interface TestServer {
  readonly port: number;
  /** One entry for each authentication request, in order. */
  readonly attempts: string[];
  readonly commands: string[];
  /** Connections open now, and the most that ever were. */
  readonly open: () => number;
  readonly most: () => number;
  readonly close: () => Promise<void>;
}

function attemptOf(context: AuthContext): string {
  const signed = context.method === "publickey" && context.signature !== undefined;
  return `${context.method}${signed ? " signed" : ""} ${context.username}`;
}

export async function startServer(options: ServerOptions): Promise<TestServer> {
  const attempts: string[] = [];
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  let most = 0;
  const allowed = utils.parseKey(options.operator.public);
  if (allowed instanceof Error) throw allowed;
  const server = new Server(
    { hostKeys: options.hostKeys.map((keys) => keys.private) },
    (client) => {
      client.on("error", () => undefined);
      client.on("authentication", (context) => {
        attempts.push(attemptOf(context));
        if (options.stall === "auth") return;
        const isAllowed =
          context.method === "publickey" &&
          context.username === (options.user ?? "root") &&
          context.key.data.equals(allowed.getPublicSSH()) &&
          (context.signature === undefined ||
            allowed.verify(context.blob as Buffer, context.signature, context.hashAlgo) === true);
        if (isAllowed) context.accept();
        else context.reject(["publickey", "keyboard-interactive"]);
      });
      client.on("tcpip", (accept, reject, { destIP, destPort }) => {
        if (!options.forwards) return reject();
        const outward = connect(destPort, destIP);
        outward.once("error", () => reject());
        outward.once("connect", () => {
          const channel = accept();
          outward.pipe(channel).pipe(outward);
          const end = () => outward.destroy();
          channel.on("error", end).on("close", end);
        });
      });
      client.on("session", (accept) => {
        if (options.stall === "session") return;
        accept().on("exec", (acceptExec, _reject, { command }) => {
          commands.push(command);
          if (options.stall === "exec") return;
          const channel = acceptExec();
          channel.on("error", () => undefined);
          if (options.run) options.run(channel, command);
          else finish(channel, "", 0);
        });
      });
    },
  );
  const inner = (server as unknown as { _srv: NetServer })._srv;
  inner.on("connection", (socket: Socket) => {
    sockets.add(socket);
    most = Math.max(most, sockets.size);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, options.address, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    attempts,
    commands,
    open: () => sockets.size,
    most: () => most,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Reads all of stdin, then answers and ends. */
export function answer(output: string | ((stdin: string) => string), code = 0, stderr = "") {
  return (channel: ServerChannel): void => {
    let stdin = "";
    channel.on("data", (chunk: Buffer) => (stdin += chunk.toString()));
    channel.on("end", () => {
      if (stderr) channel.stderr.write(stderr);
      finish(channel, typeof output === "string" ? output : output(stdin), code);
    });
  };
}

function finish(channel: ServerChannel, output: string, code: number): void {
  channel.write(output);
  channel.exit(code);
  channel.end();
}

export interface RawServer {
  readonly port: number;
  readonly open: () => number;
  readonly accepted: () => number;
  readonly close: () => Promise<void>;
}

/** A TCP server that does with each connection what it is told. */
export async function startRaw(
  address: string,
  onConnection: (socket: Socket) => void,
): Promise<RawServer> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    accepted += 1;
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
    // Read on, or the end of the connection would never be noticed.
    socket.resume();
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    open: () => sockets.size,
    accepted: () => accepted,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Passes a server's first `bytes` bytes on, and then nothing more. */
export function chokedAfter(bytes: number, address: string, port: number) {
  return (socket: Socket): void => {
    const upstream = connect(port, address);
    upstream.on("error", () => undefined);
    socket.pipe(upstream);
    let passed = 0;
    upstream.on("data", (chunk: Buffer) => {
      const part = chunk.subarray(0, Math.max(0, bytes - passed));
      passed += part.length;
      if (part.length > 0) socket.write(part);
    });
    socket.once("close", () => upstream.destroy());
  };
}

export function connectionTo(
  address: string,
  port: number,
  hostKey: string | null,
  keyPath: string | null,
): Connection {
  return { host: address, port, user: "root", keyPath, hostKey, jump: null };
}

/** Type and body, without the comment. */
export function pinOf(keys: Keys): string {
  return keys.public.split(" ").slice(0, 2).join(" ");
}
