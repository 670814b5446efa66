import { INDEX_PORT, LAB_ADDRESS } from "./network";
import { packageServer } from "./packageServer";

const [wheels = "", debs = "", gone = ""] = process.argv.slice(2);
packageServer({ wheels, debs, gone }).listen(INDEX_PORT, LAB_ADDRESS);
