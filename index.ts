/** Entry point of the Pulumi program: configuration in, outputs out. */

import { RunError } from "@pulumi/pulumi";
import { convergeFleet } from "./components/fleet";
import { readConfig } from "./config";

export = async () => {
  try {
    return await convergeFleet(readConfig());
  } catch (error) {
    if (error instanceof RunError) throw error;
    // The SDK prints any other error with util.inspect, which takes minutes over some stacks (Node 20).
    throw new RunError(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
};
