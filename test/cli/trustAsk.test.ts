import { ask } from "../../cli/trust/run";

const question = jest.fn<Promise<string>, [string]>();
const close = jest.fn();
jest.mock("node:readline/promises", () => ({ createInterface: () => ({ question, close }) }));

describe("the question of fleet trust", () => {
  const before = [process.stdin.isTTY, process.stderr.isTTY] as const;
  let errors = "";

  beforeEach(() => {
    process.stdin.isTTY = process.stderr.isTTY = true;
    errors = "";
    jest.spyOn(process.stderr, "write").mockImplementation((text) => {
      errors += text as string;
      return true;
    });
  });

  afterEach(() => {
    jest.restoreAllMocks();
    [process.stdin.isTTY, process.stderr.isTTY] = before;
  });

  it.each([
    ["y", true, ""],
    [" Yes ", true, ""],
    ["", false, "fleet: nothing is recorded\n"],
    ["yet", false, "fleet: nothing is recorded\n"],
  ])("takes %j for %p", async (reply, answer, said) => {
    question.mockResolvedValueOnce(reply);
    expect(await ask(2, "hosts.yaml", {})).toBe(answer);
    expect(question).toHaveBeenLastCalledWith("Record 2 host keys in hosts.yaml? [y/N] ");
    expect({ errors, closed: close.mock.calls.length > 0 }).toEqual({ errors: said, closed: true });
  });

  it("takes Ctrl-C and Ctrl-D for no", async () => {
    question.mockRejectedValueOnce(new DOMException("Aborted with Ctrl+C", "AbortError"));
    expect(await ask(1, "hosts.yaml", {})).toBe(false);
    expect(errors).toBe("\nfleet: nothing is recorded\n");
  });

  it("asks nobody where no terminal is", async () => {
    process.stdin.isTTY = false;
    question.mockClear();
    expect(await ask(1, "hosts.yaml", {})).toBe(false);
    expect({ errors, asked: question.mock.calls }).toEqual({
      errors: "fleet: nothing is recorded without --yes\n",
      asked: [],
    });
  });
});
