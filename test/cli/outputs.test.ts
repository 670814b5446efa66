import { fleet } from "./run";

const OUTPUTS = {
  peers: ["198.51.100.1:8770", "198.51.100.2:8770"],
  seeds: ["198.51.100.1:8770"],
  voters: ["a", "b"],
  quorum: { declared: 2, effective: 1, required: 2, margin: -1 },
  nodeConf: { a: 'NODE_ID="a"\n', b: 'NODE_ID="b"\n' },
  p2pDiscovery: {
    methods: ["tailscale", "direct"],
    cloudflare_endpoint: "https://p2p.example.com",
    entry: ["a"],
    nodes: {
      a: {
        number: 7,
        loopback: "127.64.0.7",
        tailscale_ip: "100.64.0.7",
        p2p_url: null,
        direct: "198.51.100.1",
        direct_port: 30779,
        methods: ["direct", "tailscale"],
        paths: [
          { path: "direct", address: "198.51.100.1:30779" },
          { path: "tailscale", address: "100.64.0.7:8779" },
        ],
      },
    },
  },
  hosts: {},
  debt: {},
  recap: {
    light: "yellow",
    reasons: [],
    voters: { declared: 2, effective: 1, quorum: 2, margin: -1 },
    groups: [{ kind: "failed", detail: "prepare: no room", hosts: ["a"] }],
    providers: [],
    notes: [],
    debts: [],
    paid: [],
    retry: "a",
  },
  report: "**Fleet: yellow**\n",
};
const outputs = (...args: string[]) =>
  fleet(["outputs", "--from", "-", ...args], JSON.stringify(OUTPUTS));

describe("fleet outputs", () => {
  it.each([
    [["--format", "peers"], "198.51.100.1:8770,198.51.100.2:8770\n"],
    [["--format", "voters"], "a,b\n"],
    [["--format", "node-conf", "--host", "b"], 'NODE_ID="b"\n'],
    [["--format", "node-conf"], '# a\nNODE_ID="a"\n\n# b\nNODE_ID="b"\n'],
    [
      ["--format", "env"],
      'RINGRIFT_P2P_BOOTSTRAP_SEEDS="198.51.100.1:8770"\nRINGRIFT_P2P_VOTERS="a,b"\nRINGRIFT_P2P_VOTER_MIN_QUORUM="2"\nRINGRIFT_VOTER_MIN_QUORUM="2"\n',
    ],
    [
      ["--format", "p2p-discovery"],
      `p2p_discovery:
  methods:
    - tailscale
    - direct
  cloudflare_endpoint: https://p2p.example.com
hosts:
  a:
    p2p_number: 7
    p2p_loopback: 127.64.0.7
    tailscale_ip: 100.64.0.7
    p2p_public_host: 198.51.100.1
    p2p_public_port: 30779
    p2p_methods:
      - direct
      - tailscale
    p2p_paths:
      - path: direct
        address: 198.51.100.1:30779
      - path: tailscale
        address: 100.64.0.7:8779
`,
    ],
    [["--format", "report"], "**Fleet: yellow**\n"],
    [["--format", "retry"], "a\n"],
    [
      ["--format", "recap"],
      `Fleet: yellow
Voters: 2 declared, 1 effective, quorum 2, margin -1
failed  1 a
          prepare: no room
To try again:
  P2P_LIMIT=a pulumi up
`,
    ],
  ])("%j", (args, stdout) => {
    expect(outputs(...args)).toEqual({ code: 0, stdout, stderr: "" });
  });

  it("prints everything as JSON by default", () => {
    expect(JSON.parse(outputs().stdout)).toEqual(OUTPUTS);
  });

  it.each([
    [["--format", "node-conf", "--host", "c"], 'fleet: "c" has no node.conf: it is not deployed\n'],
    [
      ["--format", "xml"],
      "error: option '-f, --format <format>' argument 'xml' is invalid. Allowed choices are json, peers, voters, node-conf, env, p2p-discovery, recap, report, retry.\n(--help shows the usage)\n",
    ],
  ])("exits 2 for %j", (args, stderr) => {
    expect(outputs(...args)).toEqual({ code: 2, stdout: "", stderr });
  });

  it("says that there are none before the first run", () => {
    expect(fleet(["outputs", "--from", "-"], "{}")).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "fleet: the stack has no outputs of this program yet (peers, seeds, voters, quorum, nodeConf, p2pDiscovery)\n  run pulumi up\n",
    });
  });
});
