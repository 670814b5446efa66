/**
 * How a connector and the edge talk: TLS, one JSON object a line. It is the lab's own; what Cloudflare and cloudflared
 * speak (HTTP/2 or QUIC with Cap'n Proto) is not imitated.
 *
 * A control connection begins with `register`. Whenever the edge has a request and no idle data connection, it sends
 * `open` with a ticket; the connector dials again and begins with `data` and that ticket. From then on that connection
 * is plain HTTP/1.1 with the edge as the client, one request at a time, so that TCP itself carries the back-pressure.
 */
export type FromConnector =
  | {
      readonly type: "register";
      readonly account: string;
      readonly tunnel: string;
      /** Base64. */
      readonly secret: string;
      /** UUID of the process. */
      readonly connector: string;
      /** 0 to 3. */
      readonly index: number;
      readonly version: string;
      readonly arch: string;
      readonly protocol: string;
    }
  | { readonly type: "data"; readonly ticket: string }
  | { readonly type: "pong" }
  | { readonly type: "applied"; readonly version: number }
  /** No new requests, please; those under way go on. */
  | { readonly type: "unregister" };

export type FromEdge =
  | {
      readonly type: "registered";
      readonly connection: string;
      readonly location: string;
      readonly version: number;
      readonly config: unknown;
    }
  | { readonly type: "error"; readonly error: string; readonly retry: boolean }
  | { readonly type: "config"; readonly version: number; readonly config: unknown }
  | { readonly type: "open"; readonly ticket: string }
  | { readonly type: "ping" }
  | { readonly type: "unregistered" };

const LONGEST_LINE = 1024 * 1024;

export function encode(message: FromConnector | FromEdge): string {
  return `${JSON.stringify(message)}\n`;
}

/** Cuts a stream into messages. @throws Error on what is none */
export class MessageReader {
  private rest = Buffer.alloc(0);

  read(chunk: Buffer): FromConnector[] {
    const data = Buffer.concat([this.rest, chunk]);
    const end = data.lastIndexOf(0x0a) + 1;
    this.rest = data.subarray(end);
    if (this.rest.length > LONGEST_LINE) throw new Error("a line is too long");
    const lines = data.subarray(0, end).toString("utf8").split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line) as FromConnector);
  }
}
