import { Server, ServerCredentials } from "@grpc/grpc-js";
import { EngineService, type IEngineServer } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";

export interface LogLine {
  readonly severity: "debug" | "info" | "warning" | "error";
  readonly text: string;
  readonly urn: string;
  readonly ephemeral: boolean;
}

/** The side of an engine that a provider calls: it keeps the log lines it is sent. */
export class FakeEngine {
  readonly lines: LogLine[] = [];
  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  static async start(): Promise<FakeEngine> {
    const server = new Server();
    const kept: LogLine[] = [];
    const service: Partial<IEngineServer> = {
      log: (call, callback) => {
        kept.push({
          severity: (["debug", "info", "warning", "error"] as const)[call.request.getSeverity()],
          text: call.request.getMessage(),
          urn: call.request.getUrn(),
          ephemeral: call.request.getEphemeral(),
        });
        callback(null, new Empty());
      },
    };
    server.addService(EngineService, service as never);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    const engine = new FakeEngine(server, `127.0.0.1:${port}`);
    return Object.assign(engine, { lines: kept });
  }

  /** Lines so far, which are forgotten. */
  take(): LogLine[] {
    return this.lines.splice(0);
  }

  stop(): void {
    this.server.forceShutdown();
  }
}
