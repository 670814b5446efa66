/** Bytes of one line that are kept for showing; the command's output itself is always whole. */
const MAX_LINE = 64 * 1024;

/** Cuts a stream of text into lines for the live log. A line may be of any length: only its beginning is kept. */
export class LineSplitter {
  private line = "";

  constructor(private readonly show: (line: string) => void) {}

  write(text: string): void {
    const parts = text.split("\n");
    parts.forEach((part, i) => {
      if (this.line.length < MAX_LINE) this.line += part.slice(0, MAX_LINE - this.line.length);
      if (i < parts.length - 1) this.flush();
    });
  }

  /** The rest, when the stream has ended without a newline. */
  end(): void {
    if (this.line) this.flush();
  }

  private flush(): void {
    this.show(this.line.replace(/\r$/, ""));
    this.line = "";
  }
}
