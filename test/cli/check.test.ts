import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fleet } from "./run";

const CLEAN = `p2p_voters: [a-1, b-1, c-1]
hosts:
${["a-1", "b-1", "c-1"]
  .map(
    (name, index) => `  ${name}:
    ssh_host: 198.51.100.${index + 1}
    ssh_host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
    ringrift_path: /opt/ringrift/ai-service
    status: ready
    role: coordinator
    p2p_enabled: true
`,
  )
  .join("")}`;
const BROKEN = `${CLEAN}  d-1:
    ssh_host: 198.51.100.4
    ssh_port: 22x
`;

describe("fleet check", () => {
  it("prints a summary and exits 0 for a clean file", () => {
    expect(fleet(["check", "-"], CLEAN)).toEqual({
      code: 0,
      stdout: "3 hosts: 3 deploy, 0 skip, 0 refused; 0 errors, 0 warnings, 0 info\n",
      stderr: "",
    });
  });

  it("points at the line, groups by host and exits 1 for an error", () => {
    expect(fleet(["check", "-"], BROKEN)).toEqual({
      code: 1,
      stdout: `d-1
  warning -:24:3 hosts.d-1: p2p_enabled is not set, and readers of the file disagree about what that means; the host is skipped [p2p-enabled-missing]
          write p2p_enabled: true or p2p_enabled: false
  error   -:26:15 hosts.d-1.ssh_port: expected an integer from 1 to 65535, got "22x" [invalid-value]

4 hosts: 3 deploy, 0 skip, 1 refused; 1 error, 1 warning, 0 info
`,
      stderr: "",
    });
  });

  it("prints the documented JSON", () => {
    const { code, stdout } = fleet(["check", "--json", "-"], BROKEN);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      file: "-",
      findings: [
        {
          severity: "warning",
          code: "p2p-enabled-missing",
          path: "hosts.d-1",
          file: "-",
          line: 24,
          column: 3,
          message:
            "p2p_enabled is not set, and readers of the file disagree about what that means; the host is skipped",
          hint: "write p2p_enabled: true or p2p_enabled: false",
        },
        {
          severity: "error",
          code: "invalid-value",
          path: "hosts.d-1.ssh_port",
          file: "-",
          line: 26,
          column: 15,
          message: 'expected an integer from 1 to 65535, got "22x"',
          hint: null,
        },
      ],
      summary: { hosts: 4, deploy: 3, skip: 0, refused: 1, errors: 1, warnings: 1 },
    });
  });

  it("exits 1 with the place of a syntax error", () => {
    const { code, stdout } = fleet(["check", "-"], "hosts:\n  a: [1\n");
    expect(code).toBe(1);
    expect(stdout).toContain("-:3:1: ");
    expect(stdout).toContain("0 hosts: 0 deploy, 0 skip, 0 refused; ");
  });

  it.each([
    [["check", "nowhere.yaml"], "fleet: cannot read nowhere.yaml: no such file\n"],
    [["check", "."], "fleet: cannot read .: is a directory\n"],
    [
      ["check", "--jsn", "-"],
      "error: unknown option '--jsn'\n(Did you mean --json?)\n(--help shows the usage)\n",
    ],
    [
      ["chekc"],
      "error: unknown command 'chekc'\n(Did you mean check?)\n(--help shows the usage)\n",
    ],
    [["lab", "up", "--disk", "much"], "--disk: expected a positive integer, got much\n"],
  ])("exits 2 for wrong usage: %j", (args, stderr) => {
    expect(fleet(args)).toEqual({ code: 2, stdout: "", stderr });
  });

  it("does not parse a file over 1 MB", () => {
    const directory = mkdtempSync(join(tmpdir(), "fleet-check-"));
    try {
      const file = join(directory, "big.yaml");
      writeFileSync(file, `hosts: {}\n${"# padding\n".repeat(500_000)}`);
      const { code, stdout } = fleet(["check", file]);
      expect(code).toBe(1);
      expect(stdout).toContain(`${file}:1:1: the file has more than 1000000 bytes`);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("replaces no byte of a file that is not UTF-8", () => {
    const directory = mkdtempSync(join(tmpdir(), "fleet-check-"));
    try {
      const file = join(directory, "latin1.yaml");
      writeFileSync(file, Buffer.from("hosts: {a: {note: caf\xe9}}\n", "latin1"));
      const stderr = `fleet: cannot read ${file}: is not UTF-8 text\n`;
      expect(fleet(["check", file])).toEqual({ code: 2, stdout: "", stderr });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("does not read on in a file that never ends", () => {
    const { code, stdout } = fleet(["check", "/dev/zero"]);
    expect(code).toBe(1);
    expect(stdout).toContain("/dev/zero:1:1: the file has more than 1000000 bytes");
  });

  it("has help with its exit codes", () => {
    const { code, stdout } = fleet(["check", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Exit codes: 0 no errors, 1 errors, 2 wrong usage.");
  });
});

describe("fleet plan", () => {
  it("prints a table, voters and quorum, and exits 0", () => {
    expect(fleet(["plan", "-"], BROKEN)).toEqual({
      code: 0,
      stdout: `HOST  PROVIDER  ACTION   SUPERVISOR  TRANSPORT  LISTENS          VOTER  REASON
a-1   unknown   deploy   systemd     direct     all, firewalled  yes    status: ready
b-1   unknown   deploy   systemd     direct     all, firewalled  yes    status: ready
c-1   unknown   deploy   systemd     direct     all, firewalled  yes    status: ready
d-1   unknown   refused  -           -          -                -      ssh_port: expected an
                                                                        integer from 1 to 65535,
                                                                        got "22x"

voters       3 of 3 declared can vote, quorum 2, margin 1
  effective  a-1 b-1 c-1
coordinator  a-1
relays       none
entry        a-1 b-1 c-1
`,
      stderr: "1 error in -: fleet check - lists them\n",
    });
  });

  it("gives every host the same keys in JSON", () => {
    const plan = JSON.parse(fleet(["plan", "--json", "-"], BROKEN).stdout) as {
      hosts: Record<string, Record<string, unknown>>;
    };
    const keys = Object.values(plan.hosts).map((host) => Object.keys(host).sort());
    expect(new Set(keys.map((list) => list.join()))).toHaveProperty("size", 1);
    expect(plan.hosts["d-1"]).toMatchObject({ action: "refused", supervisor: null, relay: false });
    expect(plan.hosts["a-1"]).toMatchObject({
      action: "deploy",
      supervisor: "systemd",
      transport: "direct",
      addresses: { tailscale: null, cloudflare: null, direct: "198.51.100.1" },
      peers: ["b-1", "c-1"],
      peerAddresses: ["198.51.100.2:8770", "198.51.100.3:8770"],
      voter: true,
      relay: false,
    });
  });

  it("exits 1 without a plan", () => {
    const { code, stdout, stderr } = fleet(["plan", "-"], "hosts: {}\n");
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: "-:1:8 hosts: `hosts` lists no host\n",
    });
  });

  it("fits 100 columns with long names and long reasons", () => {
    const long = "x".repeat(63);
    const { stdout } = fleet(
      ["plan", "-"],
      `${CLEAN}  ${long}:\n    ssh_host: ${"y".repeat(300)}\n`,
    );
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });
});
