import * as pulumi from "@pulumi/pulumi";
import { mistakeOf, tokenHolders, tokenNotes, tokenOf } from "../../components/fleetToken";
import { type Wish } from "../../components/tasks";
import { decideToken } from "../../converge/token";
import { type Facts } from "../../payload/facts";
import { clusterTokenPath } from "../../payload/names";
import { renderActivate, renderPrepare } from "../../payload/render";
import { type ProbeResult } from "../../probe/types";
import { factsInOrder } from "../payload/facts";
import { planOf } from "../payload/plans";

const PATHS: NonNullable<Facts["paths"]> = {
  ...{
    watched: {},
    cutOff: [],
    waiting: [],
    mistake: null,
    troubles: [],
    error: null,
    lendsToken: true,
  },
};
const BEHIND = { listening: [{ address: "127.0.0.1", port: 8770 }], paths: PATHS };

/** What one host holds, by its plan and by what was found on it. */
const holderOf = (
  listen: string,
  changes: Partial<Facts> | null,
  limit: readonly string[] = [],
) => {
  const plan = planOf({ listen });
  const options = { inventory: null, clusterToken: null };
  const [prepare, activate] = [renderPrepare(plan, options), renderActivate(plan, options)];
  const wish = { name: "h4", prepare, activate } as unknown as Wish;
  const probe: ProbeResult =
    changes === null
      ? { class: "unreachable", kind: "timed-out", reason: "silence", milliseconds: 1 }
      : ({ class: "ready", facts: factsInOrder(prepare, activate, changes) } as ProbeResult);
  return tokenHolders([wish], new Map([["h4", probe]]), "d2", { limit })[0];
};

describe("the fleet's token", () => {
  it.each([
    ["", "it is blank"],
    [" \n", "it is blank"],
    ["0123456789abcdef\n", "it has a blank or a line's end before or after it"],
    ["two words of it", "only visible ASCII characters without blanks can be sent"],
    ["line\nof its own", "only visible ASCII characters without blanks can be sent"],
    ["schlüssel-1234", "only visible ASCII characters without blanks can be sent"],
    ["1234567", "it has fewer than 8 characters, and can be guessed"],
    ["x".repeat(4097), "it has more than 4096 characters"],
    ["x".repeat(4096), undefined],
    [`'$(id)"\\;{}%`, undefined],
  ])("%j: %s", (token, mistake) => {
    expect(mistakeOf(token)).toBe(mistake);
  });

  it("ends the run without a word of it, and is none where none is set", async () => {
    await expect(tokenOf({ clusterToken: pulumi.secret("a planted token") })).rejects.toThrow(
      "p2p:clusterToken: only visible ASCII characters without blanks can be sent. A good one: openssl rand -hex 32",
    );
    expect(await tokenOf({ clusterToken: pulumi.secret("planted-token") })).toEqual({
      text: "planted-token",
      digest: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
    expect(await tokenOf({ clusterToken: undefined })).toBeNull();
  });
});

describe("what a host holds of the token", () => {
  it("counts a forwarder only where nobody gets to the daemon past it, now and after the run", () => {
    expect(holderOf("127.0.0.1", BEHIND)?.lends).toBe(true);
    expect(holderOf("0.0.0.0", BEHIND)?.lends).toBe(false);
    const open = [...BEHIND.listening, { address: "0.0.0.0", port: 8770 }];
    expect(holderOf("127.0.0.1", { ...BEHIND, listening: open })?.lends).toBe(false);
    const other = [...BEHIND.listening, { address: "0.0.0.0", port: 8779 }];
    expect(holderOf("127.0.0.1", { ...BEHIND, listening: other })?.lends).toBe(true);
  });

  it("does not count one that does not run, or is too old to lend", () => {
    expect(holderOf("127.0.0.1", { ...BEHIND, paths: null })?.lends).toBe(false);
    const old = { ...PATHS, lendsToken: false };
    expect(holderOf("127.0.0.1", { ...BEHIND, paths: old })?.lends).toBe(false);
  });

  it("can be written where somebody can work, unless the host is outside p2p:limit and has none", () => {
    expect(holderOf("127.0.0.1", null)).toEqual({
      ...{ name: "h4", canHave: false, requires: undefined, lends: false },
    });
    expect(holderOf("127.0.0.1", BEHIND)?.canHave).toBe(true);
    expect(holderOf("127.0.0.1", BEHIND, ["other"])?.canHave).toBe(false);
    const secrets = { [clusterTokenPath("d2")]: { digest: "d2", mode: "0600", owner: "root" } };
    expect(holderOf("127.0.0.1", { ...BEHIND, secrets }, ["other"])?.canHave).toBe(true);
  });
});

describe("what a run says of a switch", () => {
  const host = (name: string, lends: boolean, canHave = true) => ({
    ...{ name, canHave, requires: "old", lends },
  });
  const on = { paths: {} as never };

  it("is nothing where it goes in waves, or where there is none", () => {
    expect(tokenNotes(decideToken("new", [host("a", true)]), on)).toEqual([]);
    expect(tokenNotes(decideToken("old", [host("a", false)]), on)).toEqual([]);
  });

  it("names the hosts without a forwarder, or that paths are off, and what that costs", () => {
    const decision = decideToken("new", [host("b", false), host("a", false), host("c", true)]);
    expect(tokenNotes(decision, on)).toEqual([
      expect.stringMatching(
        /^the cluster token is switched by all daemons at once, since there is no path forwarder that hands it on at a, b: .*no quorum/,
      ),
    ]);
    expect(tokenNotes(decision, { paths: null })).toEqual([
      expect.stringMatching(
        /at once, since p2p:paths is off: .* nobody notices: set p2p:fleetSecret and p2p:paths.enabled in a run before$/,
      ),
    ]);
  });

  it("names who holds it up", () => {
    const decision = decideToken("new", [host("a", true), host("b", true, false)]);
    expect(tokenNotes(decision, on)).toEqual([
      "p2p:requireAuth waits for hosts that do not have the token yet: b",
    ]);
  });
});
