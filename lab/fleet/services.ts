import { LabError } from "./labError";

/** What a lab can have beside its hosts and their packages; each is a stand-in for a service that the fleet rents. */
export const LAB_SERVICES = ["tailnet", "cloudflare"] as const;
export type LabService = (typeof LAB_SERVICES)[number];

/**
 * Reads the value of `--with`: names separated by commas, in any order.
 * @throws LabError "input" on a name that is none of LAB_SERVICES
 */
export function parseServices(list: string): LabService[] {
  const names = list.split(",").map((name) => name.trim());
  const stranger = names.find((name) => !LAB_SERVICES.some((service) => service === name));
  if (stranger !== undefined) {
    const known = LAB_SERVICES.join(", ");
    throw new LabError("input", `--with: "${stranger}" is not a service of the lab: ${known}`);
  }
  return LAB_SERVICES.filter((service) => names.includes(service));
}
