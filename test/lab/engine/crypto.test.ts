import { Cipher } from "../../../lab/engine/crypto/passphrase";
import { sealInClear, Vault } from "../../../lab/engine/crypto/vault";
import { secret, SECRET, SIGNATURE_KEY } from "../../../lab/wire";

/** A stack's salt and a setting, both written by the Pulumi CLI 3.260 with the passphrase "conformance". */
const CLI_SALT = "v1:JczuoPpPvO4=:v1:ODmJfKcPcQYWJj1J:ugMKJPkDfuJDKmGSvBYGTMZl20Umvg==";
const CLI_SECRET = "v1:Yef/W9MUad5zS1y5:1vMEVkZiSX0FIOwVcjrVB+Xo6WY//aSAhWcr5ib0KEcwn4RkOA==";

describe("Cipher", () => {
  it("opens what the CLI has sealed", async () => {
    const cipher = await Cipher.open("conformance", CLI_SALT);
    expect(cipher.decrypt(CLI_SECRET)).toBe("planted-secret-config");
  });

  it("opens what it has sealed itself, and never seals alike twice", async () => {
    const made = await Cipher.create("pass");
    const opened = await Cipher.open("pass", made.salt);
    const [first, second] = [made.encrypt("text ü"), made.encrypt("text ü")];
    expect(first).not.toBe(second);
    expect([opened.decrypt(first), opened.decrypt(second)]).toEqual(["text ü", "text ü"]);
  });

  it("notices a wrong passphrase, a malformed salt and a damaged text", async () => {
    await expect(Cipher.open("other", CLI_SALT)).rejects.toThrow("incorrect passphrase");
    await expect(Cipher.open("pass", "v2:x")).rejects.toThrow("the encryption salt is malformed");
    const cipher = await Cipher.open("conformance", CLI_SALT);
    expect(() => cipher.decrypt(CLI_SECRET.replace("1vMEV", "2vMEV"))).toThrow(
      "cannot be decrypted",
    );
  });
});

describe("Vault", () => {
  it("keeps the ciphertext of a secret that did not change", async () => {
    const vault = new Vault(await Cipher.open("conformance", CLI_SALT));
    const sealed = vault.seal({ list: [secret({ a: 1 })], plain: "p" });
    const opened = vault.open(sealed);
    expect(opened).toEqual({ list: [secret({ a: 1 })], plain: "p" });
    expect(vault.seal(opened)).toEqual(sealed);
    expect(JSON.stringify(sealed)).not.toContain('"a"');
  });

  it("opens secrets in clear, as an export with --show-secrets has them", async () => {
    const vault = new Vault(await Cipher.open("conformance", CLI_SALT));
    const clear = sealInClear({ a: secret("x") });
    expect(clear).toEqual({ a: { [SIGNATURE_KEY]: SECRET, plaintext: '"x"' } });
    expect(vault.open(clear)).toEqual({ a: secret("x") });
  });

  it("refuses a secret without text", async () => {
    const vault = new Vault(await Cipher.open("conformance", CLI_SALT));
    expect(() => vault.open({ [SIGNATURE_KEY]: SECRET })).toThrow(
      "the state holds a secret without text",
    );
  });
});

describe("a secret inside a secret", () => {
  it("keeps its mark and is not encrypted twice, in the form the CLI reads", async () => {
    const cipher = await Cipher.open("conformance", CLI_SALT);
    const vault = new Vault(cipher);
    const nested = { connection: secret({ user: "u", password: secret("p") }) };
    const sealed = vault.seal(nested) as { connection: { ciphertext: string } };
    expect(JSON.parse(cipher.decrypt(sealed.connection.ciphertext))).toEqual({
      user: "u",
      password: { [SIGNATURE_KEY]: SECRET, ciphertext: '"p"' },
    });
    expect(vault.open(sealed)).toEqual(nested);
    expect(vault.open(sealInClear(nested))).toEqual(nested);
  });
});
