/**
 * Starts the SDK's runner (first argument: its path) in a process that ends when the engine does. The engine holds the
 * other end of descriptor 3; when it dies, however it dies, the descriptor closes. Without this a program that waits
 * for something else than the engine would go on for as long as that takes.
 */
const net = require("node:net");
const { loadSdkLate } = require("../../scripts/lateModules.js");

const GUARD_DESCRIPTOR = 3;

const engine = new net.Socket({ fd: GUARD_DESCRIPTOR, readable: true, writable: false });
engine.on("error", () => undefined);
engine.on("close", () => process.kill(process.pid, "SIGKILL"));
engine.resume();
engine.unref();

const [runner] = process.argv.splice(2, 1);
process.argv[1] = runner;
loadSdkLate(runner);
require(runner);
