import { looking } from "../../cli/looking";

const WAITED = 2001;

/** A stream that keeps what is written. */
function stream(isTTY: boolean): { written: string[]; stream: NodeJS.WriteStream } {
  const written: string[] = [];
  const write = (text: string) => written.push(text) > 0;
  return { written, stream: { isTTY, write } as unknown as NodeJS.WriteStream };
}

describe("how far a look has got", () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it("is a count on a terminal, which goes away", () => {
    const { written, stream: terminal } = stream(true);
    const progress = looking(2, terminal);
    progress.one();
    progress.one();
    progress.end();
    expect(written).toEqual(["\rlooked at 1 of 2", "\rlooked at 2 of 2", "\r\u001b[K"]);
  });

  it.each([
    [1, "looking at 1 host\n"],
    [500, "looking at 500 hosts\n"],
  ])("is one line elsewhere, when it takes long: %d", (total, line) => {
    const { written, stream: pipe } = stream(false);
    const progress = looking(total, pipe);
    progress.one();
    expect(written).toEqual([]);
    jest.advanceTimersByTime(WAITED);
    progress.end();
    expect(written).toEqual([line]);
  });

  it("is nothing elsewhere, when it is soon over", () => {
    const { written, stream: pipe } = stream(false);
    looking(3, pipe).end();
    jest.advanceTimersByTime(WAITED);
    expect(written).toEqual([]);
  });
});
