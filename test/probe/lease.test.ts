import { makeLease } from "../../probe/lease";

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

  it("hands errors on, and goes on after them", async () => {
    const lease = makeLease(1, 60_000);
    await expect(lease(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await lease(() => Promise.resolve(1))).toBe(1);
  });
});
