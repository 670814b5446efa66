import { credentials } from "@grpc/grpc-js";
import { type EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { type LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

/** Severity as the engine numbers it. */
const SEVERITY = { debug: 0, info: 1, warning: 2, error: 3 } as const;

export type Severity = keyof typeof SEVERITY;

/** Longest line sent; what a terminal shows of more is of no use to anybody. */
const MAX_LINE = 16 * 1024;
/** From this many waiting lines on, they travel together. */
const BATCH_FROM = 32;
/** Milliseconds that an engine has for a line: a busy one takes seconds, one that is gone refuses at once. */
const LATEST = 30_000;

export interface Logger {
  /** Shown for good, in the diagnostics after the run. */
  (severity: Severity, text: string): void;
  /** Shown while the resource is worked on: progress. */
  status(severity: Severity, text: string): void;
}

interface Entry {
  readonly severity: Severity;
  readonly text: string;
  readonly urn: string;
  readonly ephemeral: boolean;
}

/** Sends lines to the engine, one after the other so that they stay in order. */
export class EngineLog {
  private client: EngineClient | undefined;
  private readonly waiting: Entry[] = [];
  private sending: Promise<void> | undefined;

  /** @param address host:port of the engine; without one the lines go nowhere */
  constructor(private address: string | undefined) {}

  /** An engine that introduces itself in the handshake knows its address best. */
  setAddress(address: string): void {
    if (address && !this.client) this.address = address;
  }

  /** A logger for one resource. @param mask takes the resource's secrets out of a text */
  forResource(urn: string, mask: (text: string) => string): Logger {
    const write = (severity: Severity, text: string, ephemeral: boolean) => {
      const masked = mask(text);
      const cut =
        masked.length > MAX_LINE
          ? `${masked.slice(0, MAX_LINE)}… (${masked.length} characters)`
          : masked;
      this.waiting.push({ severity, text: cut, urn, ephemeral });
      this.sending ??= this.drain();
    };
    const log = (severity: Severity, text: string) => write(severity, text, false);
    return Object.assign(log, {
      status: (severity: Severity, text: string) => write(severity, text, true),
    });
  }

  /** Resolves when everything written so far was sent, or after `limit` milliseconds. */
  async flush(limit = LATEST): Promise<void> {
    if (!this.sending) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limit);
    });
    await Promise.race([this.sending, late]);
    clearTimeout(timer);
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) await this.send(this.takeNext());
    this.sending = undefined;
  }

  private takeNext(): Entry {
    const first = this.waiting.shift()!;
    if (this.waiting.length < BATCH_FROM) return first;
    const lines = [first.text];
    const belongs = (entry: Entry | undefined) =>
      entry?.severity === first.severity &&
      entry.urn === first.urn &&
      entry.ephemeral === first.ephemeral;
    while (belongs(this.waiting[0])) lines.push(this.waiting.shift()!.text);
    return { ...first, text: lines.join("\n") };
  }

  private async send(entry: Entry): Promise<void> {
    if (!this.address) return;
    // Loaded late: most runs of most providers never write a line, and starting fast matters.
    const { LogRequest } = await import("@pulumi/pulumi/proto/engine_pb");
    if (!this.client) {
      const { EngineClient } = await import("@pulumi/pulumi/proto/engine_grpc_pb");
      this.client = new EngineClient(this.address, credentials.createInsecure());
    }
    const request = new LogRequest();
    request.setSeverity(SEVERITY[entry.severity] as LogSeverity);
    request.setMessage(entry.text);
    request.setUrn(entry.urn);
    request.setEphemeral(entry.ephemeral);
    const client = this.client;
    // A line that cannot be shown is no reason to fail the resource.
    await new Promise<void>((resolve) => {
      client.log(request, { deadline: Date.now() + LATEST } as never, () => resolve());
    });
  }
}
