import fc from "fast-check";
import { orderWaves, type Restart } from "../../converge/waves";

const worker = (name: string): Restart => ({ name, isVoter: false, isAlive: true });
const voter = (name: string, isAlive: boolean): Restart => ({ name, isVoter: true, isAlive });

describe("orderWaves", () => {
  it("tries one worker, starts voters that are down, restarts live voters one by one, then workers", () => {
    const hosts = [
      worker("w3"),
      voter("v2", true),
      worker("w1"),
      voter("v1", true),
      voter("v9", false),
      voter("v8", false),
      worker("w2"),
    ];
    expect(orderWaves(hosts, 2, true)).toEqual([
      { kind: "canary", hosts: ["w1"] },
      { kind: "starting voters", hosts: ["v8", "v9"] },
      { kind: "voter", hosts: ["v1"] },
      { kind: "voter", hosts: ["v2"] },
      { kind: "workers", hosts: ["w2", "w3"] },
    ]);
  });

  it("takes a voter that is down as canary where there is no worker", () => {
    expect(orderWaves([voter("v1", true), voter("v2", false)], 8, true)).toEqual([
      { kind: "canary", hosts: ["v2"] },
      { kind: "voter", hosts: ["v1"] },
    ]);
  });

  it("never takes a live voter as canary: voters come one at a time anyway", () => {
    expect(orderWaves([voter("v1", true), voter("v2", true)], 8, true)).toEqual([
      { kind: "voter", hosts: ["v1"] },
      { kind: "voter", hosts: ["v2"] },
    ]);
  });

  it("needs no second canary", () => {
    expect(orderWaves([worker("w1"), worker("w2")], 8, false)).toEqual([
      { kind: "workers", hosts: ["w1", "w2"] },
    ]);
  });

  it("has nothing to do for nobody", () => {
    expect(orderWaves([], 8, true)).toEqual([]);
  });

  it("names every host once, in any order of the input, and never two live voters together", () => {
    const restart = fc.record({
      name: fc.string({ minLength: 1, maxLength: 4 }),
      isVoter: fc.boolean(),
      isAlive: fc.boolean(),
    });
    const hosts = fc.uniqueArray(restart, { selector: ({ name }) => name, maxLength: 20 });
    fc.assert(
      fc.property(hosts, fc.integer({ min: 1, max: 5 }), fc.boolean(), (all, size, canary) => {
        const waves = orderWaves(all, size, canary);
        expect(waves.flatMap((wave) => wave.hosts).sort()).toEqual(
          all.map(({ name }) => name).sort(),
        );
        expect(orderWaves([...all].reverse(), size, canary)).toEqual(waves);
        for (const wave of waves) {
          const live = wave.hosts.filter((name) =>
            all.some((host) => host.name === name && host.isVoter && host.isAlive),
          );
          expect(live.length).toBeLessThanOrEqual(1);
          expect(wave.hosts.length).toBeLessThanOrEqual(size);
        }
      }),
    );
  });
});
