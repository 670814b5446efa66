import { sha256, shortDigest } from "./digest";
import { type Drift } from "./drift";
import { type Facts, type SupportFact } from "./facts";
import { lineDiff } from "./lineDiff";
import { type FirewallSpec, type PreparePresent, type RenderedService } from "./spec";
import { sourceFor } from "./toolSource";

/** Tools in the wanted version, as they were installed, and no others. */
export function compareTools({ tools }: Pick<PreparePresent, "tools">, facts: Facts): Drift[] {
  const wanted = tools.flatMap(({ name, version, sources }): Drift[] => {
    const found = facts.tools[name];
    const source = sourceFor(facts.arch, sources);
    if (found === undefined) return [{ what: name, want: version, is: "absent" }];
    if (found.version !== version) return [{ what: name, want: version, is: found.version }];
    if (!found.intact) return [{ what: name, want: version, is: "its binary was changed" }];
    // An unknown machine gets its error from the host, which says so in a step.
    if (source === undefined || found.digest === source.sha256) return [];
    return [{ what: name, want: version, is: `${version} of another checksum` }];
  });
  return [...wanted, ...unwanted(Object.keys(facts.tools), tools, () => "installed")];
}

/** Support services that run what is wanted, are ready and start at boot, and no others. */
export function compareSupport(
  { services }: Pick<PreparePresent, "services">,
  facts: Facts,
): Drift[] {
  const wanted = services.flatMap((service): Drift[] => {
    const found = facts.services[service.name];
    const what = `service ${service.name}`;
    if (found === undefined) return [{ what, want: "running", is: "absent" }];
    const why = found.lastError ?? found.detail;
    if (found.state !== "running")
      return [{ what, want: "running", is: `${found.state}${why ? `: ${why}` : ""}` }];
    const drift: Drift[] = [];
    // What was altered is named below, with its lines.
    const isNamed = found.digest === null && found.alterations.length > 0;
    if (found.digest !== service.digest && !isNamed)
      drift.push({ what, want: service.digest, is: found.digest ?? "edited" });
    if (found.file?.digest !== sha256(service.service))
      drift.push(editedText(what, service, found));
    if (found.enabled === false && facts.init === "systemd")
      drift.push({ what: `${what} at boot`, want: "enabled", is: "not enabled" });
    drift.push(...compareUnit(`${what} file`, found));
    if (found.ready === false) drift.push({ what, want: "ready", is: `not ready: ${why}` });
    return drift;
  });
  const state = (name: string): string => facts.services[name]?.state ?? "present";
  const rest = unwanted(Object.keys(facts.services), services, state);
  return [...wanted, ...rest.map((item) => ({ ...item, what: `service ${item.what}` }))];
}

/** What a manager takes for the service's text beside or in place of the file that we wrote. */
export function compareUnit(
  what: string,
  { alterations, stale }: Pick<SupportFact, "alterations" | "stale">,
): Drift[] {
  const told = alterations.map(({ detail, ...item }): Drift => {
    return { ...item, ...(detail === undefined ? {} : { detail }) };
  });
  // A drop-in that was not read yet makes the same mark.
  if (!stale || told.length > 0) return told;
  return [{ what, want: "read", is: "changed since systemd has read it" }];
}

function editedText(what: string, { service }: RenderedService, { file }: SupportFact): Drift {
  const detail = file?.text === undefined ? {} : { detail: lineDiff(file.text, service) };
  return { what: `${what} file`, want: "present", is: file ? "edited" : "absent", ...detail };
}

/** Rules of ours as they were applied for this wish, also at the next boot; none where none are wanted. */
export function compareFirewall(
  { firewall: wanted }: Pick<PreparePresent, "firewall">,
  { firewall: found }: Facts,
): Drift[] {
  const what = "firewall";
  if (wanted === null) {
    return found === null ? [] : [{ what, want: "no rule of ours", is: `rules ${found.state}` }];
  }
  // What a container may not have is a note of the report: nothing could be mended there.
  if (found !== null && !found.able) return [];
  const want = describeOpenings(wanted);
  if (found === null || found.state === "absent") return [{ what, want, is: "absent" }];
  if (found.digest !== shortDigest(wanted)) return [{ what, want, is: "rules of an older wish" }];
  const detail = found.edits === null ? {} : { detail: found.edits };
  if (found.state === "edited") return [{ what, want, is: "edited", ...detail }];
  return found.boot ? [] : [{ what: "firewall at boot", want: "applied", is: "not applied" }];
}

function describeOpenings({ ports, interfaces, ipv4, ipv6 }: FirewallSpec): string {
  return `ports ${ports.join(", ")} open to ${[...interfaces, ...ipv4, ...ipv6].join(", ")} alone`;
}

/** What an earlier wish has left. */
function unwanted(
  found: readonly string[],
  wanted: readonly { readonly name: string }[],
  is: (name: string) => string,
): Drift[] {
  return found
    .filter((name) => !wanted.some((item) => item.name === name))
    .map((name) => ({ what: name, want: "absent", is: is(name) }));
}
