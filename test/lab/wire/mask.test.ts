import fc from "fast-check";
import { createMasker, MASK, secret, secretTexts, UNKNOWN } from "../../../lab/wire";

describe("secretTexts", () => {
  it("takes strings and long numbers inside secrets only", () => {
    const value = {
      plain: "not this",
      token: secret("token-1"),
      nested: { list: [secret({ deep: "token-2", port: 22, pin: 12345678 })] },
      unknown: secret(UNKNOWN),
      short: secret("ab"),
    };
    expect(secretTexts(value)).toEqual(["token-1", "token-2", "12345678"]);
  });

  it("leaves out public fields of a secret object, unless they are secret themselves", () => {
    const value = {
      connection: secret({ host: "192.0.2.1", user: secret("robin"), password: "pw-1" }),
    };
    const isPublic = (field: string) => field === "host" || field === "user";
    expect(secretTexts(value, isPublic)).toEqual(["robin", "pw-1"]);
  });
});

describe("createMasker", () => {
  it("leaves nothing of any secret in a text, as it is or escaped", () => {
    const secrets = fc.array(fc.string({ minLength: 3, maxLength: 20 }), { maxLength: 4 });
    fc.assert(
      fc.property(secrets, fc.string(), fc.string(), (texts, before, after) => {
        // What the mask itself contains would be "found" in it.
        fc.pre(texts.every((text) => !MASK.includes(text)));
        const masked = createMasker(texts)(
          [before, ...texts, ...texts.map((text) => JSON.stringify(text)), after].join(" "),
        );
        const rest = masked.split(MASK);
        expect(rest.filter((part) => texts.some((text) => part.includes(text)))).toEqual([]);
      }),
    );
  });

  it("masks the lines of a key and the strings of a secret that is JSON, but not its short ones", () => {
    const mask = createMasker([
      "-----BEGIN KEY-----\nAAAAB3Nza\n-----END KEY-----\n",
      '{"files":[{"path":"/etc","content":"token=abcdefgh\\nx=1"}]}',
    ]);
    expect(mask("got AAAAB3Nza at line 2 of /etc: token=abcdefgh")).toBe(
      "got [secret] at line 2 of /etc: [secret]",
    );
  });

  it("replaces a secret that contains another one as a whole", () => {
    expect(createMasker(["abc", "abcdef"])("x abcdef y abc z")).toBe("x [secret] y [secret] z");
  });

  it("does not look for secrets in its own masks", () => {
    expect(createMasker(["secrets", "ecr"])("secrets ecru")).toBe("[secret] [secret]u");
  });

  it("changes nothing without secrets", () => {
    expect(createMasker([])("a [secret] b")).toBe("a [secret] b");
  });

  it("tells in which file a secret is to lie, and what was done with it", () => {
    const secrets = { path: "/etc/ringrift/tunnel-token", content: "planted words\n" };
    const mask = createMasker([JSON.stringify({ ...secrets, step: "forwarder restart" })]);
    expect(mask("forwarder restart: /etc/ringrift/tunnel-token, planted words")).toBe(
      `forwarder restart: /etc/ringrift/tunnel-token, ${MASK}`,
    );
  });
});
