/** Milliseconds of the window that requests are counted in, and of the refusal that follows. */
const WINDOW = 300_000;

/** Counts requests; whoever makes more than `most()` in five minutes is refused for five minutes. */
export class RateLimit {
  private times: number[] = [];
  private blockedUntil = 0;

  constructor(
    private readonly most: () => number,
    private readonly now: () => number = Date.now,
  ) {}

  /** Seconds until requests are taken again, 0 when this one is. */
  take(): number {
    const now = this.now();
    if (now < this.blockedUntil) return Math.ceil((this.blockedUntil - now) / 1000);
    this.times = this.times.filter((time) => time > now - WINDOW);
    if (this.times.length < this.most()) {
      this.times.push(now);
      return 0;
    }
    this.times = [];
    this.blockedUntil = now + WINDOW;
    return WINDOW / 1000;
  }

  reset(): void {
    this.times = [];
    this.blockedUntil = 0;
  }
}
