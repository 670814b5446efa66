import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startStand } from "./stand";

const [address = "", folder = ""] = process.argv.slice(2);
const apiToken = readFileSync(join(folder, "api-token"), "utf8").trim();

startStand({ address, folder, apiToken }).then(
  () => writeFileSync(join(folder, "ready"), ""),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  },
);
