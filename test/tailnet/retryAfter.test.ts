import { retrySeconds } from "../../tailnet/retryAfter";

describe("retrySeconds", () => {
  const NOW = Date.parse("2026-11-22T07:00:00Z");
  const asked = (status: number, after?: string) =>
    retrySeconds({ status, headers: new Headers(after ? { "retry-after": after } : {}) }, NOW);

  it("is what the answer asks for, in seconds or as a time", () => {
    expect(asked(429, "3")).toBe(3);
    expect(asked(503, "0")).toBe(0);
    expect(asked(429, "Sun, 22 Nov 2026 07:00:10 GMT")).toBe(10);
    expect(asked(429, "Sun, 22 Nov 2026 06:00:00 GMT")).toBe(0);
  });

  it("is nothing where it does not ask, asks too much, or asks in no words", () => {
    const answers = [
      asked(429),
      asked(200, "3"),
      asked(500, "3"),
      asked(429, "3600"),
      asked(429, "soon"),
    ];
    expect(answers).toEqual(answers.map(() => undefined));
  });
});
