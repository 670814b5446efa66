/** What `fleet status` asks a host: the same as the program's probe, without files to compare. */

import { type DeployHostPlan } from "../hosts/plan/types";
import { factsRequest } from "../payload/compare";
import { renderActivate, renderPrepare } from "../payload/render";
import { type FactsRequest } from "../payload/spec";

export function requestOf(host: DeployHostPlan): FactsRequest {
  const options = {
    inventory: null,
    peerAddress: (node: string) => host.peerAddresses[host.peers.indexOf(node)] ?? null,
    clusterToken: null,
  };
  const request = factsRequest(renderPrepare(host, options), renderActivate(host, options), null);
  return { ...request, files: [], imports: [] };
}
