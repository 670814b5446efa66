import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import {
  connect,
  createServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from "node:net";
import {
  type AuthContext,
  type Connection as SshConnection,
  Server,
  type Session,
  utils,
} from "ssh2";
import { until } from "../client";
import { serveFiles } from "./sftpServer";

export interface SshServerOptions {
  /** Names of variables that clients may set. @default none */
  readonly acceptEnv?: readonly string[];
  /** Type of the host's key. @default ed25519 */
  readonly hostKeyType?: "ed25519" | "rsa";
  readonly user?: string;
  readonly password?: string;
  readonly publicKey?: string;
  /** Only ask for the password interactively. */
  readonly interactive?: boolean;
  /** How many logins to refuse before the first is let in. */
  readonly refuseLogins?: number;
  /** Never answer the opening of a command. */
  readonly muteExec?: boolean;
  /** As a jump host: say that the host behind it sends nothing more, and close nothing. */
  readonly leavesHalfOpen?: boolean;
}

/** A key pair in OpenSSH's formats. */
export function newKey(type: "ed25519" | "rsa" = "ed25519", passphrase?: string) {
  const bits = type === "rsa" ? { bits: 2048 } : {};
  const protection = passphrase ? { passphrase, cipher: "aes256-ctr" as const } : {};
  for (;;) {
    const options = { ...bits, ...protection } as never;
    const key = utils.generateKeyPairSync(type as "ed25519", options);
    // One key in some 250 that ssh2 makes is malformed (ssh-keygen cannot read it either).
    if (!(utils.parseKey(key.private, passphrase) instanceof Error)) return key;
  }
}

/** A real SSH server on loopback that runs commands with this machine's /bin/sh. */
export class SshServer {
  /** What was logged in with, in order; `none` attempts left out. */
  readonly logins: string[] = [];
  readonly commands: string[] = [];
  readonly refused: string[] = [];
  /** Connections that are open now. */
  readonly open = new Set<SshConnection>();
  connections = 0;
  readonly hostKey: string;
  private readonly server: Server;
  private readonly tcp: TcpServer;
  private readonly sockets = new Set<Socket>();
  private refusals: number;

  private constructor(private readonly options: SshServerOptions) {
    const key = newKey(options.hostKeyType);
    this.hostKey = key.public;
    this.refusals = options.refuseLogins ?? 0;
    this.server = new Server({ hostKeys: [key.private] }, (client) => this.accept(client));
    // A TCP server of our own, so that every connection can be cut.
    this.tcp = createServer((socket) => {
      this.sockets.add(socket);
      socket.on("error", () => undefined);
      this.server.injectSocket(socket);
    });
  }

  static async start(options: SshServerOptions = {}): Promise<SshServer> {
    const server = new SshServer(options);
    await new Promise<void>((resolve) => server.tcp.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get port(): number {
    return (this.tcp.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.tcp.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** Resolves when no connection is open. */
  async allClosed(): Promise<void> {
    await until(() => this.open.size === 0);
  }

  private accept(client: SshConnection): void {
    this.connections += 1;
    this.open.add(client);
    client.on("error", () => undefined);
    client.on("close", () => this.open.delete(client));
    client.on("authentication", (context) => this.authenticate(context));
    client.on("ready", () => {
      client.on("session", (acceptSession) => this.serveSession(acceptSession()));
      client.on("tcpip", (acceptChannel, reject, { destIP, destPort }) => {
        const socket = connect(destPort, destIP);
        socket.once("error", () => reject());
        socket.once("connect", () => {
          const channel = acceptChannel();
          channel.on("error", () => undefined);
          channel.pipe(socket).pipe(channel, { end: !this.options.leavesHalfOpen });
          socket.on("end", () => this.options.leavesHalfOpen && channel.eof());
          socket.on("error", () => channel.destroy());
        });
      });
    });
  }

  private authenticate(context: AuthContext): void {
    const { user = "root", password, publicKey, interactive } = this.options;
    if (context.method === "none") return context.reject(this.methods());
    this.logins.push(context.method);
    const right = context.username === user && this.refusals-- <= 0;
    if (context.method === "password" && !interactive) {
      return right && context.password === password
        ? context.accept()
        : context.reject(this.methods());
    }
    if (context.method === "keyboard-interactive" && interactive) {
      return context.prompt([{ prompt: "Password: ", echo: false }], ([answer]) => {
        if (right && answer === password) context.accept();
        else context.reject(this.methods());
      });
    }
    if (context.method === "publickey" && publicKey && right) {
      const allowed = utils.parseKey(publicKey);
      if (allowed instanceof Error) throw allowed;
      const isSame = context.key.data.equals(allowed.getPublicSSH());
      if (isSame && context.signature && context.blob) {
        const good = allowed.verify(context.blob, context.signature, context.hashAlgo);
        return good === true ? context.accept() : context.reject(this.methods());
      }
      if (isSame) return context.accept();
    }
    context.reject(this.methods());
  }

  private methods(): never {
    const { password, publicKey, interactive } = this.options;
    const methods = [
      ...(publicKey ? ["publickey"] : []),
      ...(password !== undefined ? [interactive ? "keyboard-interactive" : "password"] : []),
    ];
    return methods as never;
  }

  private serveSession(session: Session): void {
    const env: Record<string, string> = {};
    session.on("env", (accept, reject, info) => {
      const { key, val } = info as unknown as { key: string; val: string };
      if (this.options.acceptEnv?.includes(key)) {
        env[key] = val;
        accept?.();
      } else {
        this.refused.push(key);
        reject?.();
      }
    });
    session.on("sftp", (acceptSftp) => serveFiles(acceptSftp()));
    session.on("exec", (acceptExec, _reject, { command }) => {
      this.commands.push(command);
      if (this.options.muteExec) return;
      const channel = acceptExec();
      const child = spawn("/bin/sh", ["-c", command], {
        detached: true,
        env: { PATH: process.env["PATH"], ...env },
      });
      channel.pipe(child.stdin);
      child.stdin.on("error", () => undefined);
      child.stdout.pipe(channel, { end: false });
      child.stderr.pipe(channel.stderr, { end: false });
      channel.on("close", () => killGroup(child));
      child.on("close", (code, signal) => {
        if (signal) channel.exit(signal.replace("SIG", ""), false, "");
        else channel.exit(code ?? 0);
        channel.end();
      });
    });
  }
}

/** A host that goes down takes all it runs with it. */
function killGroup(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null || !child.pid) return;
  process.kill(-child.pid, "SIGKILL");
}

/** A TCP server that accepts and then does what it is told: nothing, or dripping bytes, or hanging up. */
export class StallingServer {
  readonly sockets: Socket[] = [];
  private constructor(private readonly server: TcpServer) {}

  static async start(onConnection: (socket: Socket) => void): Promise<StallingServer> {
    const tcp = createServer();
    const stalling = new StallingServer(tcp);
    tcp.on("connection", (socket) => {
      stalling.sockets.push(socket);
      socket.on("error", () => undefined);
      onConnection(socket);
    });
    await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
    return stalling;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

/** A private key in PEM that no server knows. */
export function strangerKey(): string {
  return generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  }).privateKey;
}
