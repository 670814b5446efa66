import { type ApiMessage } from "./errors";

const KINDS = ["refuse", "after", "drop", "hang", "lost"] as const;
type Kind = (typeof KINDS)[number];

/** What the API is told to do instead of answering; for tests. */
export interface Fault {
  readonly id: number;
  /** HTTP method, any when undefined. */
  readonly method?: string;
  /** Regular expression for the path below /client/v4, any when undefined. */
  readonly path?: string;
  /**
   * `refuse`: the answer below, nothing is done. `after`: the request is carried out, then answered so (the answer that
   * got lost). `drop`: the connection is closed unanswered. `hang`: no answer ever. `lost`: the request is carried out,
   * and no answer ever.
   */
  readonly kind: Kind;
  /** @default 500 */
  readonly status: number;
  readonly errors: readonly ApiMessage[];
  readonly headers: Readonly<Record<string, string>>;
  /** How many requests it still meets; null: all. */
  times: number | null;
}

const WORDS: Readonly<Record<number, ApiMessage>> = {
  401: { code: 10000, message: "Authentication error" },
  403: { code: 10000, message: "Authentication error" },
  429: { code: 971, message: "Please wait and consider throttling your request speed" },
  500: { code: 1000, message: "Internal server error" },
  502: { code: 1000, message: "Bad gateway" },
  503: { code: 1000, message: "Service unavailable" },
};

/** The faults that wait for requests. */
export class Faults {
  private readonly list: Fault[] = [];
  private next = 1;

  /** @throws Error on a description that is none */
  add(given: Readonly<Record<string, unknown>>): Fault {
    const status = Number(given["status"] ?? 500);
    const wished = given["kind"] ?? "refuse";
    const kind = KINDS.find((one) => one === wished);
    if (kind === undefined) throw new Error('kind: "refuse", "after", "drop", "hang" or "lost"');
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new Error("status: 400 to 599");
    }
    const path = typeof given["path"] === "string" ? given["path"] : undefined;
    if (path !== undefined) new RegExp(path);
    const fault: Fault = {
      id: this.next++,
      method: typeof given["method"] === "string" ? given["method"].toUpperCase() : undefined,
      path,
      kind,
      status,
      errors: Array.isArray(given["errors"])
        ? (given["errors"] as ApiMessage[])
        : [WORDS[status] ?? { code: status, message: `status ${status}` }],
      headers: (given["headers"] as Record<string, string> | undefined) ?? {},
      times:
        given["times"] === undefined || given["times"] === null ? null : Number(given["times"]),
    };
    this.list.push(fault);
    return fault;
  }

  all(): readonly Fault[] {
    return this.list;
  }

  clear(id?: number): void {
    const kept = id === undefined ? [] : this.list.filter((fault) => fault.id !== id);
    this.list.splice(0, this.list.length, ...kept);
  }

  /** The fault that meets a request, counted down. */
  take(method: string, path: string): Fault | undefined {
    const fault = this.list.find(
      (candidate) =>
        (candidate.method ?? method) === method &&
        (candidate.path === undefined || new RegExp(candidate.path).test(path)),
    );
    if (fault === undefined || fault.times === null) return fault;
    fault.times -= 1;
    if (fault.times <= 0) this.clear(fault.id);
    return fault;
  }
}
