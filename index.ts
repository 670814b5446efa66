/** Entry point of the Pulumi program: configuration in, outputs out. */

import { convergeFleet } from "./components/fleet";
import { readConfig } from "./config";

export = async () => convergeFleet(readConfig());
