/** The lab's own private net; every lab has the same one, each in a network namespace of its own. */
export const LAB_NET = "10.77.0.0/16";
/** Where the lab's own services answer, and where the command line and the engine come from. */
export const LAB_ADDRESS = "10.77.0.1";
/** Port of the package index, on LAB_ADDRESS. */
export const INDEX_PORT = 8080;
/** PEP 503 index for pip. */
export const PIP_INDEX = `http://${LAB_ADDRESS}:${INDEX_PORT}/simple/`;
/** Flat repository for apt. */
export const APT_REPOSITORY = `http://${LAB_ADDRESS}:${INDEX_PORT}/debs/`;

/** Vendors' downloads (pinned binaries), by their own paths below a folder of the vendor's name. */
export const MIRROR = `http://${LAB_ADDRESS}:${INDEX_PORT}/mirror`;

/** Whether an address is one that a lab host may have. */
export function isInLabNet(address: string): boolean {
  const match = /^10\.77\.(\d{1,3})\.(\d{1,3})$/.exec(address);
  if (!match) return false;
  const [third, fourth] = [Number(match[1]), Number(match[2])];
  return third <= 255 && fourth >= 1 && fourth <= 254 && address !== LAB_ADDRESS;
}
