import { versionNotes } from "../../health/versions";

const at = (digit: string, dirty = false) => ({ commit: digit.repeat(40), dirty });

describe("versionNotes", () => {
  it("says nothing where all hosts run the same, or nobody has a checkout", () => {
    expect(versionNotes(new Map([["a", at("1")], ["b", at("1")], ["c", null]])).size).toBe(0); // prettier-ignore
    expect(versionNotes(new Map([["a", null]])).size).toBe(0);
  });

  it("names the version of every host where they differ, local changes included", () => {
    const checkouts = new Map([["a", at("1")], ["b", at("2")], ["c", at("1", true)], ["d", null]]); // prettier-ignore
    expect([...versionNotes(checkouts)]).toEqual([
      ["a", "checkout at 111111111111, one of 3 versions"],
      ["b", "checkout at 222222222222, one of 3 versions"],
      ["c", "checkout at 111111111111 with local changes, one of 3 versions"],
    ]);
  });
});
