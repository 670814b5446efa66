import { randomUUID } from "node:crypto";
import { type TLSSocket } from "node:tls";
import { type FromConnector, type FromEdge, encode, MessageReader } from "./messages";

/** Milliseconds between two pings, and without a sign of life after which a connection counts as lost. */
const PING = 3_000;
const SILENCE = 10_000;

/** One control connection of a connector. */
export class Control {
  readonly id = randomUUID();
  readonly openedAt = new Date().toISOString();
  private heard = Date.now();
  private readonly pings: NodeJS.Timeout;

  constructor(
    private readonly socket: TLSSocket,
    readonly index: number,
    private readonly onMessage: (message: FromConnector) => void,
    onEnd: () => void,
  ) {
    const reader = new MessageReader();
    this.pings = setInterval(() => this.ping(), PING);
    socket.on("data", (chunk: Buffer) => {
      this.heard = Date.now();
      try {
        reader.read(chunk).forEach((message) => this.onMessage(message));
      } catch {
        socket.destroy();
      }
    });
    socket.on("close", () => {
      clearInterval(this.pings);
      onEnd();
    });
  }

  get originIp(): string {
    return this.socket.remoteAddress ?? "";
  }

  get isAlive(): boolean {
    return !this.socket.destroyed && this.socket.writable;
  }

  send(message: FromEdge): void {
    if (this.isAlive) this.socket.write(encode(message));
  }

  end(): void {
    this.socket.destroy();
  }

  private ping(): void {
    if (Date.now() - this.heard > SILENCE) this.socket.destroy();
    else this.send({ type: "ping" });
  }
}
