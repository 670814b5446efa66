import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { type AddressInfo } from "node:net";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Answer {
  readonly status?: number;
  /** Sent as JSON unless it is a string. */
  readonly body?: unknown;
}

/** An API that notes what it is asked, and answers what the test wants. */
export class FakeApi {
  readonly asked: Asked[] = [];
  answer: (asked: Asked) => Answer = () => ({ body: {} });

  private constructor(private readonly server: Server) {}

  static async start(): Promise<FakeApi> {
    const server = createServer();
    const api = new FakeApi(server);
    server.on("request", (request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        const { method = "", url: path = "", headers } = request;
        const asked = { method, path, body, headers };
        api.asked.push(asked);
        const { status = 200, body: text } = api.answer(asked);
        response.writeHead(status, { "content-type": "application/json" });
        response.end(
          typeof text === "string" ? text : text === undefined ? "" : JSON.stringify(text),
        );
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What was asked, without headers. */
  get calls(): unknown[] {
    return this.asked.map(({ method, path, body }) => [method, path, ...(body ? [body] : [])]);
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
