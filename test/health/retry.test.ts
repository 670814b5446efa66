import { matchesLimit } from "../../converge/limit";
import { retryCommand } from "../../health/report";
import { limitFor } from "../../health/retry";

const FLEET = ["h1", "h2", "runpod-1", "vast-a-1", "vast-a-2", "vast-a-3", "vast-b-1"];

describe("limitFor", () => {
  it.each([
    [[], null],
    [["h1"], "h1"],
    [["h1", "runpod-1"], "h1,runpod-1"],
    // Two are named one by one, three of a group by the group, if nobody else is in it.
    [["vast-a-1", "vast-a-2"], "vast-a-1,vast-a-2"],
    [["vast-a-1", "vast-a-2", "vast-a-3"], "vast-a-*"],
    [["h2", "vast-a-1", "vast-a-2", "vast-a-3", "vast-b-1"], "h2,vast-*"],
    [["vast-a-1", "vast-a-3", "vast-b-1"], "vast-a-1,vast-a-3,vast-b-1"],
    [FLEET, "*"],
  ])("%j → %j", (owing, expected) => {
    const limit = limitFor(owing, FLEET);
    expect(limit).toBe(expected);
    const patterns = limit?.split(",") ?? ["nobody"];
    expect(FLEET.filter((name) => matchesLimit(name, patterns))).toEqual(owing);
  });
});

describe("retryCommand", () => {
  it.each([
    ["h1,h2", "P2P_LIMIT=h1,h2 pulumi up"],
    ["vast-*", "P2P_LIMIT='vast-*' pulumi up"],
    ["it's", "P2P_LIMIT='it'\\''s' pulumi up"],
    ["x,".repeat(200), 'limit=$(npx fleet outputs --format retry) && P2P_LIMIT="$limit" pulumi up'],
  ])("%j", (retry, expected) => {
    expect(retryCommand({ retry })).toBe(expected);
  });
});
