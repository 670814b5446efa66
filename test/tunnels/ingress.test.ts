import { ingressRules, P2P_PATH_PATTERN } from "../../tunnels/ingress";

describe("ingressRules", () => {
  it("leads one name to the daemon on its own host, and everything else nowhere", () => {
    expect(ingressRules("h1.example.com", 8771, "p2p")).toEqual([
      {
        hostname: "h1.example.com",
        path: P2P_PATH_PATTERN,
        service: "http://localhost:8771",
        originRequest: {
          connectTimeout: 5,
          tcpKeepAlive: 15,
          keepAliveTimeout: 60,
          keepAliveConnections: 16,
        },
      },
      { service: "http_status:404" },
    ]);
  });

  it("has no path where everything may pass", () => {
    expect(Object.keys(ingressRules("h1.example.com", 8770, "all")[0] ?? {})).toEqual([
      "hostname",
      "service",
      "originRequest",
    ]);
  });

  const passes = (path: string): boolean => new RegExp(P2P_PATH_PATTERN).test(path);

  it.each([
    "/health",
    "/status",
    "/heartbeat",
    "/gossip",
    "/gossip/anti-entropy",
    "/coordinator",
    "/election",
    "/election/lease",
    "/relay/peers",
    "/relay/heartbeat",
    "/relay/enqueue",
    "/relay/status",
    "/relay/health",
  ])("lets %s through", (path) => {
    expect(passes(path)).toBe(true);
  });

  it.each([
    "/",
    "/admin/purge_retired",
    "/admin/clear_nat_blocked",
    "/admin/restart",
    "/work/claim",
    "/sync/file",
    "/start_job",
    "/metrics",
    "/relay/peers/x",
    "/relay/register",
    "/healthz",
    "/x/health",
    "/election/../admin/restart",
    "/Health",
    "/health/",
  ])("stops %s", (path) => {
    expect(passes(path)).toBe(false);
  });
});
