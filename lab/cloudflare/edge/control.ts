import { randomUUID } from "node:crypto";
import { type TLSSocket } from "node:tls";
import { type FromConnector, type FromEdge, encode, MessageReader } from "./messages";

/**
 * Milliseconds between two pings, and how many in a row without a sign of life make a connection count as lost: pings
 * and not time, for after a moment in which this process did not run the signs of life are yet to be read.
 */
const PING = 3_000;
const MOST_PINGS = 4;

/** One control connection of a connector. */
export class Control {
  readonly id = randomUUID();
  readonly openedAt = new Date().toISOString();
  private unanswered = 0;
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
      this.unanswered = 0;
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
    this.unanswered += 1;
    if (this.unanswered > MOST_PINGS) this.socket.destroy();
    else this.send({ type: "ping" });
  }
}
