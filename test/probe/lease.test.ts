import { setTimeout as sleep } from "node:timers/promises";
import { leaseOf, makeLease } from "../../probe/lease";

/** Work that ends when it is told to. */
function manual<T>(value: T) {
  let end: () => void = () => undefined;
  let isBegun = false;
  const over = new Promise<T>((resolve) => (end = () => resolve(value)));
  const work = (): Promise<T> => {
    isBegun = true;
    return over;
  };
  return { work, end: () => end(), isBegun: () => isBegun };
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe("makeLease", () => {
  it("lets no more work begin than there are places", async () => {
    const lease = makeLease(1, 60_000);
    const [first, second] = [manual("a"), manual("b")];
    const both = [lease(first.work), lease(second.work)];
    await turn();
    expect([first.isBegun(), second.isBegun()]).toEqual([true, false]);
    first.end();
    await both[0];
    await turn();
    expect(second.isBegun()).toBe(true);
    second.end();
    expect(await Promise.all(both)).toEqual(["a", "b"]);
  });

  it("gives the place of what takes long to the next, and its result all the same", async () => {
    const lease = makeLease(1, 20);
    const [stalled, next] = [manual("late"), manual("soon")];
    const late = lease(stalled.work);
    const soon = lease(next.work);
    next.end();
    expect(await soon).toBe("soon");
    stalled.end();
    expect(await late).toBe("late");
  });

  it("gives the place away sooner where others got done in far less", async () => {
    const lease = makeLease(1, 3_000);
    await lease(() => Promise.resolve());
    const stalled = manual("late");
    const late = lease(stalled.work);
    // Timers of one process fire in their order, however slow it is.
    const first = await Promise.race([
      lease(() => Promise.resolve("next")),
      sleep(2_500, "its whole time", { ref: false }),
    ]);
    expect(first).toBe("next");
    stalled.end();
    expect(await late).toBe("late");
  });

  it("hands errors on, and goes on after them", async () => {
    const lease = makeLease(1, 60_000);
    await expect(lease(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await lease(() => Promise.resolve(1))).toBe(1);
  });
});

describe("leaseOf", () => {
  it.each([
    ["nothing is known: the whole", 0, undefined, 3_000],
    ["others took a second: twice that", 0, 1_000, 2_000],
    ["and some stall: no more than that", 2, 1_000, 1_000],
    ["others were very quick: a sixth", 0, 40, 500],
    ["some stall and nobody is done: a sixth", 1, undefined, 500],
    ["others are slow, too: the whole", 3, 8_000, 3_000],
  ])("%s", (_case, late, slowest, expected) => {
    expect(leaseOf(3_000, late, slowest)).toBe(expected);
  });
});
