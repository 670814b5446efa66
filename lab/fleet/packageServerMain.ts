import { writeFileSync } from "node:fs";
import { INDEX_PORT, LAB_ADDRESS } from "./network";
import { packageServer } from "./packageServer";

const [wheels = "", debs = "", mirror = "", gone = "", ready = ""] = process.argv.slice(2);
packageServer({ wheels, debs, mirror, gone }).listen(INDEX_PORT, LAB_ADDRESS, () =>
  writeFileSync(ready, ""),
);
