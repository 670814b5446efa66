import * as fc from "fast-check";
import {
  contentDigest,
  ownerMark,
  secretInToken,
  tunnelSecret,
  tunnelToken,
} from "../../tunnels/token";

describe("tunnelSecret", () => {
  it("is 32 bytes, the same for the same tunnel", () => {
    const secret = tunnelSecret("stack secret", "node:h1", 1);
    expect(Buffer.from(secret, "base64")).toHaveLength(32);
    expect(tunnelSecret("stack secret", "node:h1", 1)).toBe(secret);
  });

  it("is another one for another stack, tunnel or generation", () => {
    const all = [
      tunnelSecret("s", "node:h1", 1),
      tunnelSecret("t", "node:h1", 1),
      tunnelSecret("s", "node:h2", 1),
      tunnelSecret("s", "entry", 1),
      tunnelSecret("s", "node:h1", 2),
      tunnelSecret("s", "node:h", 11),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});

describe("tunnelToken", () => {
  it("is what cloudflared reads: account, tunnel and secret", () => {
    const token = tunnelToken("acc", "6ff42ae2-765d-4adf-8112-31c55c1551ef", "c2VjcmV0");
    expect(JSON.parse(Buffer.from(token, "base64").toString())).toEqual({
      a: "acc",
      t: "6ff42ae2-765d-4adf-8112-31c55c1551ef",
      s: "c2VjcmV0",
    });
    expect(secretInToken(token)).toBe("c2VjcmV0");
  });

  it("gives no secret out of a text that is no token", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const found = secretInToken(text);
        expect(found === undefined || typeof found === "string").toBe(true);
      }),
    );
    expect(["", "e30=", "bnVsbA=="].map(secretInToken)).toEqual([undefined, undefined, undefined]);
  });
});

describe("digests", () => {
  it("tell contents apart under one secret, and nothing without it", () => {
    expect(contentDigest("s", "a")).toMatch(/^[0-9a-f]{32}$/);
    expect(contentDigest("s", "a")).not.toBe(contentDigest("s", "b"));
    expect(contentDigest("s", "a")).not.toBe(contentDigest("t", "a"));
    expect(ownerMark("s", "h1.example.com")).toMatch(/^[0-9a-f]{8}$/);
    expect(ownerMark("s", "h1.example.com")).not.toBe(ownerMark("t", "h1.example.com"));
  });
});
