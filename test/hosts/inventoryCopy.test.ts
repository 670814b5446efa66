import { parse } from "yaml";
import { withoutSshDetails } from "../../hosts/inventoryCopy";

const TEXT = `# The fleet.
x-base: &base
  ssh_user: root
  ssh_key: ~/.ssh/planted
  ringrift_path: /srv/ai-service
hosts:
  a: # the first
    <<: *base
    ssh_host: 192.0.2.1
    role: coordinator
  b: &b { ssh_host: 192.0.2.2, ssh_port: 2201, ssh_jump: a, <<: *base }
  c: *b
  d:
    <<: [*base, { ssh_host_key: ssh-ed25519 AAAA }]
    storage: { ssh_host: 192.0.2.9 }
`;

describe("withoutSshDetails", () => {
  it("leaves nothing that tells how to log in, however a host comes by it", () => {
    const copy = withoutSshDetails(TEXT);
    expect(copy).not.toMatch(/ssh_|planted|192\.0\.2/);
    const shared = { ringrift_path: "/srv/ai-service" };
    expect((parse(copy, { merge: true }) as { hosts: unknown }).hosts).toEqual({
      a: { ...shared, role: "coordinator" },
      b: shared,
      c: shared,
      d: { ...shared, storage: {} },
    });
  });

  it("keeps comments and order", () => {
    const copy = withoutSshDetails(TEXT);
    expect(copy).toContain("# The fleet.");
    expect(copy).toContain("# the first");
    expect(copy.indexOf("  a:")).toBeLessThan(copy.indexOf("  b:"));
  });
});
