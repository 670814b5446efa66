/** Rules over voters and their quorum. */

import { type Fleet } from "../fleet";
import { cite, type Path, quote, type Report } from "../finding";
import { isRelayed } from "../plan/addresses";
import { type FleetPlan } from "../plan/types";

export function voterRules(fleet: Fleet, plan: FleetPlan): Report[] {
  const placeOf = placesOf(fleet);
  return [
    ...duplicateVoters(fleet),
    ...rejectedVoters(fleet, plan, placeOf),
    ...weakVoters(fleet, plan, placeOf),
    ...legacyVoters(fleet, plan),
    ...quorumRules(fleet, plan),
    ...peerRules(fleet, plan),
  ];
}

type PlaceOf = (node: string) => Path;

/** Place of a declared voter: its first entry, or its own flag. */
function placesOf(fleet: Fleet): PlaceOf {
  const first = new Map<string, number>();
  for (const { node, index } of fleet.voters ?? []) {
    if (!first.has(node)) first.set(node, index);
  }
  return (node) => {
    const index = first.get(node);
    return index === undefined ? ["hosts", node, "p2p_voter"] : ["p2p_voters", index];
  };
}

function duplicateVoters(fleet: Fleet): Report[] {
  const seen = new Set<string>();
  return (fleet.voters ?? []).flatMap(({ node, index }) => {
    if (!seen.has(node)) {
      seen.add(node);
      return [];
    }
    return [
      {
        code: "voter-duplicate" as const,
        path: ["p2p_voters", index],
        message: `${quote(node)} is listed a second time; it counts once`,
      },
    ];
  });
}

function rejectedVoters(fleet: Fleet, plan: FleetPlan, placeOf: PlaceOf): Report[] {
  return plan.voters.rejected.map(({ node, reason }): Report => {
    const path = placeOf(node);
    const counts = "it stays in the declared number, so it counts against the quorum";
    if (reason === "no such host") {
      const message = `${quote(node)} is not a host of the file; ${counts}`;
      return { code: "voter-unknown", path, message, ...fleet.suggestName(node) };
    }
    const code = reason.includes("unroutable") ? "voter-unroutable" : "voter-inactive";
    return { code, path, message: `${quote(node)} cannot vote: ${cite(reason)}; ${counts}` };
  });
}

function weakVoters(fleet: Fleet, plan: FleetPlan, placeOf: PlaceOf): Report[] {
  return plan.voters.effective.flatMap((node) => {
    const host = fleet.hosts.get(node);
    if (!host) return [];
    const weaknesses = [
      ...(isRelayed(host) ? ["is in relay mode, so it cannot lead"] : []),
      ...(host.isContainer ? ["is a container"] : []),
      ...(host.isEphemeral ? ["is ephemeral"] : []),
    ];
    if (weaknesses.length === 0) return [];
    const message = `${quote(node)} ${weaknesses.join(", ")}: a weak voter`;
    return [{ code: "voter-weak" as const, path: placeOf(node), message }];
  });
}

function legacyVoters(fleet: Fleet, plan: FleetPlan): Report[] {
  const [first] = plan.voters.declared;
  if (fleet.voters !== undefined || first === undefined) return [];
  return [
    {
      code: "voters-legacy",
      path: ["hosts", first, "p2p_voter"],
      message: `there is no p2p_voters; the ${plan.voters.declared.length} hosts with p2p_voter: true are taken`,
      hint: `write p2p_voters: ${list(plan.voters.declared)}`,
    },
  ];
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 25).map((name) => (/^[\w.-]+$/.test(name) ? name : quote(name)));
  return `[${shown.join(", ")}${names.length > 25 ? ", …" : ""}]`;
}

function quorumRules(fleet: Fleet, plan: FleetPlan): Report[] {
  const { declared, effective, quorum, margin } = plan.voters;
  const path = fleet.voters === undefined ? [] : ["p2p_voters"];
  const atKey = true;
  if (declared.length === 0) {
    return [
      {
        code: "voters-missing",
        path,
        atKey,
        message: "no voter is declared: nothing can be agreed upon",
        hint: "list an odd number of stable, reachable hosts in p2p_voters",
      },
    ];
  }
  if (margin < 0) {
    return [
      {
        code: "quorum-unreachable",
        path,
        atKey,
        message: `${effective.length} of ${declared.length} declared voters can vote, the quorum is ${quorum}: it cannot stand, and no live voter is restarted`,
        hint:
          effective.length > 0
            ? `with p2p_voters: ${list(effective)} the quorum would be ${Math.floor(effective.length / 2) + 1}`
            : "list deployed hosts in p2p_voters",
      },
    ];
  }
  if (margin === 0) {
    return [
      {
        code: "quorum-margin",
        path,
        atKey,
        message: `${effective.length} of ${declared.length} declared voters can vote, and the quorum is ${quorum}: the loss of one more ends it`,
        ...(plan.voters.rejected.length > 0
          ? {
              hint: `with p2p_voters: ${list(effective)} the quorum would be ${Math.floor(effective.length / 2) + 1}`,
            }
          : {}),
      },
    ];
  }
  return [];
}

/** A node without peers waits for ever for somebody to call. */
function peerRules(fleet: Fleet, plan: FleetPlan): Report[] {
  const deployed = [...plan.hosts.values()].filter((host) => host.action === "deploy");
  if (deployed.length < 2 || deployed.some((host) => host.peerAddresses.length > 0)) return [];
  return [
    {
      code: "no-peers",
      path: fleet.voters === undefined ? [] : ["p2p_voters"],
      atKey: true,
      message: `none of the ${deployed.length} deployed hosts has a peer to start from: there is no effective voter and no relay`,
      hint: "list reachable, deployed hosts in p2p_voters",
    },
  ];
}
