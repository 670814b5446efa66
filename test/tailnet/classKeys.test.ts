import fc from "fast-check";
import { askedKeys, goneWarnings, keyName, keysOf, limitWarnings } from "../../tailnet/classKeys";

const CLASS = { class: "vast-nodes", tags: ["tag:vast-nodes"], days: 90, ephemeral: false };
const known = (generation: string, expires: string | null = null, id: string | null = null) => ({
  class: "vast-nodes",
  ...{ generation, expires, id },
});
const at = (day: string) => new Date(`${day}T10:00:00Z`);
const names = (days: string, keys: ReturnType<typeof known>[]) =>
  keysOf([CLASS], keys, at(days)).map((key) => `${keyName(key)}${key.isNewest ? "*" : ""}`);

describe("keysOf", () => {
  it("makes a key where there is none, and keeps it while a third of its life is left", () => {
    expect(keysOf([CLASS], [], at("2026-01-01"))).toEqual([
      { ...CLASS, generation: "2026-01-01", isNewest: true },
    ]);
    expect(names("2026-02-28", [known("2026-01-01")])).toEqual(["vast-nodes-2026-01-01*"]);
  });

  it("makes the next one before the old one lapses, and keeps both until then", () => {
    expect(names("2026-03-15", [known("2026-01-01")])).toEqual([
      "vast-nodes-2026-01-01",
      "vast-nodes-2026-03-15*",
    ]);
    expect(names("2026-03-16", [known("2026-01-01"), known("2026-03-15")])).toEqual([
      "vast-nodes-2026-01-01",
      "vast-nodes-2026-03-15*",
    ]);
    expect(names("2026-04-02", [known("2026-01-01"), known("2026-03-15")])).toEqual([
      "vast-nodes-2026-03-15*",
    ]);
  });

  it("goes by what the API said, and forgets classes that are not wanted", () => {
    expect(names("2026-01-20", [known("2026-01-01", "2026-01-21T00:00:00Z")])).toEqual([
      "vast-nodes-2026-01-01",
      "vast-nodes-2026-01-20*",
    ]);
    expect(keysOf([], [known("2026-01-01")], at("2026-01-02"))).toEqual([]);
  });

  it("makes one anew that lets nobody in, under another name, and keeps the others", () => {
    const at22 = (keys: ReturnType<typeof known>[], ...gone: string[]) =>
      keysOf([CLASS], keys, at("2026-11-22"), gone).map(
        (key) => `${key.generation}${key.isNewest ? "*" : ""}`,
      );
    const today = known("2026-11-22", null, "k1");
    expect(at22([today], "k1")).toEqual(["2026-11-22-2*"]);
    expect(at22([today], "k0")).toEqual(["2026-11-22*"]);
    expect(at22([known("2026-11-22-2", null, "k2")], "k2")).toEqual(["2026-11-22-3*"]);
    // Revoked by hand once the next one was there: nothing to make.
    const [old, next] = [known("2026-11-01", null, "k3"), known("2026-11-20", null, "k4")];
    expect(at22([old, next], "k3")).toEqual(["2026-11-20*"]);
    expect(at22([old, next], "k4")).toEqual(["2026-11-01*"]);
    const many = ["", "-2", "-10"].map((end) => known(`2026-11-22${end}`));
    expect(at22(many)).toEqual(["2026-11-22", "2026-11-22-2", "2026-11-22-10*"]);
    // What an older run left tells no id.
    expect(at22([known("2026-11-22")], "k1")).toEqual(["2026-11-22*"]);
  });

  it("never leaves a class without a key that is good for a quarter of its life", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 90 }),
        fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 40 }),
        (days, steps) => {
          let now = Date.parse("2026-01-01T10:00:00Z");
          let keys: ReturnType<typeof known>[] = [];
          for (const step of steps) {
            now += step * 86_400_000;
            const wanted = keysOf([{ ...CLASS, days }], keys, new Date(now));
            const newest = wanted.filter(({ isNewest }) => isNewest);
            expect(newest).toHaveLength(1);
            keys = wanted.map(({ generation }) => known(generation));
            const ends = Date.parse(newest[0]?.generation ?? "") + days * 86_400_000;
            expect(ends - now).toBeGreaterThan(days * 86_400_000 * 0.25 - 86_400_000);
            expect(keysOf([{ ...CLASS, days }], keys, new Date(now))).toEqual(wanted);
          }
        },
      ),
    );
  });
});

describe("askedKeys and goneWarnings", () => {
  const past = known("2026-01-01", "2026-02-01T00:00:00Z", "k1");
  const here = known("2026-11-01", "2027-01-30T00:00:00Z", "k2");
  const asked = askedKeys([past, here, known("2026-11-20")], at("2026-11-22"));

  it("asks for keys that have not lapsed and have an id", () => {
    expect(asked).toEqual([here]);
  });

  it("names keys that are gone, and says when nobody could be asked", () => {
    expect(goneWarnings({ value: [] }, asked)).toEqual([]);
    expect(goneWarnings({ value: ["k2"] }, asked)).toEqual([
      "tailnet: vast-nodes-2026-11-01 was revoked or deleted, or is not to be seen with these credentials: new hosts cannot join with it, and start scripts need the newest (output startKeys)",
    ]);
    expect(goneWarnings({ why: "no answer" }, asked)).toEqual([
      "no answer; whether the keys for start scripts are still good is not known",
    ]);
    expect(goneWarnings({ why: "no answer" }, [])).toEqual([]);
  });
});

describe("limitWarnings", () => {
  it("says nothing about a small fleet that stays", () => {
    expect(limitWarnings(40, [], 0)).toEqual([]);
  });

  it("names the limit of tagged devices, and the metered minutes", () => {
    expect(limitWarnings(45, [], 0)).toEqual([
      "tailnet: 45 tagged devices; Tailscale's Personal plan allows 50",
    ]);
    expect(limitWarnings(60, ["vast-nodes"], 45)).toEqual([
      "tailnet: 60 tagged devices; Tailscale's Personal plan allows 50, so hosts beyond it cannot join there",
      "tailnet: keys of vast-nodes are ephemeral, and ephemeral minutes are metered (1000 a month on the Personal and Standard plans: 22 min for 45 hosts)",
    ]);
  });
});
