import { Budget } from "../../probe/budget";

const late = (milliseconds: number) => new Error(`nothing within ${milliseconds} ms`);

/** Keeps this process from everything else. */
function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describe("a phase", () => {
  it("gives what came of it, and stops what it began", async () => {
    let stopped = 0;
    const budget = new Budget(60_000);
    const found = await budget.phase<string>(
      60_000,
      ({ resolve }) => {
        resolve("soon");
        return () => (stopped += 1);
      },
      late,
    );
    expect([found, stopped]).toEqual(["soon", 1]);
  });

  it("ends at its own limit, and at that of the whole, which is named then", async () => {
    const budget = new Budget(250);
    const nothing = (limit: number) => budget.phase<void>(limit, () => () => undefined, late);
    await expect(nothing(200)).rejects.toThrow("nothing within 200 ms");
    expect(budget.spent).toBeGreaterThanOrEqual(199);
    expect(budget.remaining).toBeLessThanOrEqual(50);
    await expect(nothing(200)).rejects.toThrow("nothing within 250 ms");
    expect(budget.remaining).toBe(0);
  });

  it("does not count the time for which this process could not look", async () => {
    const budget = new Budget(1_000);
    const found = await budget.phase<string>(
      1_000,
      ({ resolve }) => {
        let rounds = 5;
        const round = () => {
          spin(500);
          rounds -= 1;
          if (rounds === 0) resolve("at last");
          else setImmediate(round);
        };
        setImmediate(round);
        return () => undefined;
      },
      late,
    );
    expect(found).toBe("at last");
    expect(budget.spent).toBeGreaterThanOrEqual(2_499);
    expect(budget.remaining).toBeGreaterThan(0);
  });
});
