import { StringDecoder } from "node:string_decoder";
import { type Logger } from "../kit";
import { type CommandOutputs, type Logging } from "./inputs";
import { LineSplitter } from "./lines";

/** Collects what a command prints, and shows it line by line as it comes. */
export class Capture {
  private readonly stdout: Sink;
  private readonly stderr: Sink;
  private readonly both: string[] = [];

  constructor(log: Logger, logging: Logging = "stdoutAndStderr") {
    const show = (line: string) => log.status("info", line);
    const shows = (stream: "stdout" | "stderr") =>
      logging === "stdoutAndStderr" || logging === stream ? show : undefined;
    this.stdout = new Sink(this.both, shows("stdout"));
    this.stderr = new Sink(this.both, shows("stderr"));
  }

  writeStdout(chunk: Buffer): void {
    this.stdout.write(chunk);
  }

  writeStderr(chunk: Buffer): void {
    this.stderr.write(chunk);
  }

  /** Call when the streams have ended. */
  end(): void {
    this.stdout.end();
    this.stderr.end();
  }

  /** Everything, in the order it came. */
  get output(): string {
    return this.both.join("");
  }

  /** Each stream without one trailing newline. */
  get outputs(): CommandOutputs {
    return {
      stdout: this.stdout.text.replace(/\n$/, ""),
      stderr: this.stderr.text.replace(/\n$/, ""),
    };
  }
}

/** One stream: bytes in, text out, characters that arrive in two pieces included. */
class Sink {
  private readonly parts: string[] = [];
  private readonly decoder = new StringDecoder("utf8");
  private readonly lines: LineSplitter | undefined;

  constructor(
    private readonly both: string[],
    show: ((line: string) => void) | undefined,
  ) {
    this.lines = show && new LineSplitter(show);
  }

  get text(): string {
    return this.parts.join("");
  }

  write(chunk: Buffer): void {
    this.add(this.decoder.write(chunk));
  }

  end(): void {
    this.add(this.decoder.end());
    this.lines?.end();
  }

  private add(text: string): void {
    if (!text) return;
    this.parts.push(text);
    this.both.push(text);
    this.lines?.write(text);
  }
}
