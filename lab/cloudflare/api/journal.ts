/** One request that the API answered. */
export interface JournalEntry {
  readonly time: string;
  readonly method: string;
  /** Below /client/v4, with its query. */
  readonly path: string;
  readonly status: number;
}

/** The newest requests, oldest first. Bodies are left out: they carry secrets. */
export class Journal {
  private entries: JournalEntry[] = [];

  constructor(private readonly size = 5000) {}

  add(method: string, path: string, status: number): void {
    this.entries.push({ time: new Date().toISOString(), method, path, status });
    if (this.entries.length > this.size) this.entries.shift();
  }

  all(): readonly JournalEntry[] {
    return this.entries;
  }

  clear(): void {
    this.entries = [];
  }
}
