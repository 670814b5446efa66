import { utils } from "ssh2";
import { makeKeyPair } from "../../../lab/fleet/keys";

describe("makeKeyPair", () => {
  it("makes only pairs that an sshd can load, where one in 256 of the library's is broken", () => {
    for (let count = 0; count < 1500; count += 1) {
      const pair = makeKeyPair();
      expect(pair.public).toMatch(/^ssh-ed25519 [A-Za-z0-9+/]{68}$/);
      const parsed = utils.parseKey(pair.private);
      if (parsed instanceof Error) throw parsed;
    }
  });
});
