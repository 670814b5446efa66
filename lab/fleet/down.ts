import { endLab } from "./guard";
import { defaultLabId, listLabs } from "./labDirectory";

/**
 * Ends labs, killed ones too, and waits until nothing of them is left. Ending a lab that is not there is no error.
 * @param which an ID, "all", or undefined for this checkout's own
 * @returns the IDs of those that were there
 */
export async function downLabs(which?: string): Promise<string[]> {
  const wanted = which ?? defaultLabId();
  const labs = listLabs().filter(({ id }) => wanted === "all" || id === wanted);
  for (const lab of labs) await endLab(lab);
  return labs.map(({ id }) => id);
}
