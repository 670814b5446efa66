import { randomBytes } from "node:crypto";
import { Agent, type ClientRequestArgs } from "node:http";
import { type Duplex } from "node:stream";
import { type TLSSocket } from "node:tls";
import { type Control } from "./control";

/** Milliseconds that a connector has to dial back: one that is gone is known by its control connections. */
const DIAL_BACK = 20_000;

interface Waiting {
  readonly arrive: (socket: TLSSocket) => void;
  readonly giveUp: (why: string) => void;
}

/** One running cloudflared, as the edge sees it. */
export class Connector {
  readonly controls = new Map<number, Control>();
  /** When its first connection came. */
  readonly runAt = new Date().toISOString();
  /** The version of the configuration that it follows. */
  configVersion = 0;
  /** It asked for no further requests. */
  isLeaving = false;
  /** Gives the data connections that it dials back to HTTP clients, and keeps idle ones. */
  readonly agent: Agent;
  private readonly waiting = new Map<string, Waiting>();
  private readonly sockets = new Set<TLSSocket>();

  constructor(
    /** UUID. */
    readonly id: string,
    readonly tunnelId: string,
    readonly version: string,
    readonly arch: string,
  ) {
    this.agent = new Agent({ keepAlive: true, maxFreeSockets: 64, scheduling: "fifo" });
    const dial = (
      _: ClientRequestArgs,
      callback: (error: Error | null, socket?: Duplex) => void,
    ): undefined => {
      this.open().then(
        (socket) => callback(null, socket),
        (error: unknown) => callback(error as Error),
      );
      return undefined;
    };
    Object.assign(this.agent, { createConnection: dial });
  }

  get isServing(): boolean {
    return !this.isLeaving && [...this.controls.values()].some(({ isAlive }) => isAlive);
  }

  /** Asks for a data connection. */
  private open(): Promise<TLSSocket> {
    const controls = [...this.controls.values()].filter(({ isAlive }) => isAlive);
    const control = controls[Math.floor(Math.random() * controls.length)];
    if (control === undefined) return Promise.reject(new Error("the connector is gone"));
    const ticket = randomBytes(16).toString("hex");
    return new Promise((resolve, reject) => {
      const giveUp = (why: string): void => {
        clearTimeout(timer);
        this.waiting.delete(ticket);
        reject(new Error(why));
      };
      const arrive = (socket: TLSSocket): void => {
        clearTimeout(timer);
        this.waiting.delete(ticket);
        resolve(socket);
      };
      const timer = setTimeout(() => giveUp("the connector did not dial back"), DIAL_BACK);
      this.waiting.set(ticket, { arrive, giveUp });
      control.send({ type: "open", ticket });
    });
  }

  /** Takes a data connection that was asked for; false when nobody waits for it. */
  arrive(ticket: string, socket: TLSSocket): boolean {
    const found = this.waiting.get(ticket);
    if (found === undefined) return false;
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    found.arrive(socket);
    return true;
  }

  /** Closes everything at once. */
  end(): void {
    for (const control of this.controls.values()) control.end();
    for (const { giveUp } of [...this.waiting.values()]) giveUp("the connector is gone");
    for (const socket of this.sockets) socket.destroy();
    this.agent.destroy();
  }

  /** Its last control connection is gone. What it still answers after it took its leave may be on its way. */
  lost(): void {
    if (!this.isLeaving) return this.end();
    for (const sockets of Object.values(this.agent.freeSockets)) {
      sockets?.forEach((socket) => socket.destroy());
    }
  }
}
