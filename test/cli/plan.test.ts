import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fleet } from "./run";

const INVENTORY = `p2p_voters: [h1, c1]
hosts:
  h1: {ssh_host: 192.0.2.1, p2p_number: 1, tailscale_ip: 100.64.0.1, p2p_methods: [direct, tailscale], status: ready, p2p_enabled: true, ringrift_path: ~/r}
  c1: {ssh_host: ssh.example.com, ssh_port: 2001, p2p_number: 70000, is_container: true, relay_primary: h1, force_relay_mode: true, status: ready, p2p_enabled: true, ringrift_path: ~/r}
  off: {ssh_host: 192.0.2.3, p2p_number: 3, status: offline}
`.replace("p2p_number: 1,", "p2p_number: 1, relay_capable: true,");
const SHA = "a".repeat(64);
const STACK = `config:
  p2p:fleetSecret: {secure: AAABAA}
  p2p:cloudflare:
    accountId: 0123456789abcdef0123456789abcdef
    zone: example.com
    cloudflared: {version: 2026.8.2, sha256: {x86_64: ${SHA}, aarch64: ${SHA}}}
`;

describe("fleet plan --stack", () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-plan-"));
  const plan = (...args: string[]) => fleet(["plan", "-", ...args], INVENTORY, folder);
  beforeAll(() => {
    writeFileSync(join(folder, "Pulumi.prod.yaml"), STACK);
    writeFileSync(join(folder, "Pulumi.bad.yaml"), STACK.replace("zone: example.com", "zone: 7"));
    writeFileSync(join(folder, "Pulumi.bare.yaml"), "config:\n  p2p:inventory: x.yaml\n");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("shows number, address and paths, also those that the stack is to make", () => {
    const { code, stdout } = plan("--stack", "org/p2p/prod");
    expect([code, stdout]).toEqual([
      0,
      `HOST  PROVIDER  ACTION  SUPERVISOR  TRANSPORT         LISTENS   VOTER  REASON
c1    unknown   deploy  own         cloudflare+relay  loopback  yes    status: ready
h1    unknown   deploy  systemd     direct            loopback  yes    status: ready
off   unknown   skip    -           -                 -         -      status: offline

NODE  NUMBER  ADDRESS        PATHS
c1    70000   127.65.17.112  cloudflare* relay
h1    1       127.64.0.1     direct tailscale
* made by this stack; the inventory has no address for it

voters       2 of 2 declared can vote, quorum 2, margin 0
  effective  c1 h1
coordinator  none
relays       h1
entry        c1 h1
`,
    ]);
  });

  it("says what the file alone says where the stack makes nothing", () => {
    const bare = plan("-s", "bare");
    expect(bare).toEqual(plan());
    expect(bare.stdout).toContain(
      "  rejected   c1 (unroutable: no tailnet address, tunnel or public address)",
    );
    expect(bare.stdout).not.toContain("127.64.0.1");
  });

  it("ends with exit code 2 where the stack's file is wrong", () => {
    expect(plan("-s", "bad")).toEqual({
      ...{ code: 2, stdout: "" },
      stderr: "fleet: Pulumi.bad.yaml: p2p:cloudflare.zone: expected a DNS name, got 7\n",
    });
    expect(plan("-s", "none").stderr).toBe(
      "fleet: cannot read Pulumi.none.yaml: no such file\n  run this where the stack's file is\n",
    );
  });
});
