/**
 * Adds up jest's results and ends with one plain line.
 *
 * A file that failed is run once more, alone (docs/decisions/0025-once-more-alone.md): its later result counts, and
 * what failed only the first time is named as flaky.
 */
const fs = require("node:fs");

/** @param suite one file's part of jest's result @returns the names of what failed in it */
function failures(suite) {
  const failed = suite.assertionResults.filter((test) => test.status === "failed");
  // A suite that could not even be loaded has no tests to count.
  if (suite.status === "failed" && failed.length === 0) return [`${suite.name} as a whole`];
  return failed.map((test) => test.fullName);
}

/**
 * @param results what `jest --json` wrote, the earlier run first
 * @returns the counts, and a line for everything that failed, failed once, or was skipped
 */
function tally(results) {
  const last = new Map();
  const flaky = [];
  for (const suite of results.flatMap((result) => result.testResults)) {
    const before = last.get(suite.name);
    if (before) flaky.push(...failures(before).filter((name) => !failures(suite).includes(name)));
    last.set(suite.name, suite);
  }
  const suites = [...last.values()];
  const tests = suites.flatMap((suite) => suite.assertionResults);
  const failed = suites.flatMap(failures);
  const skipped = tests.filter((test) => ["pending", "todo"].includes(test.status));
  return {
    passed: tests.filter((test) => test.status === "passed").length,
    failed: failed.length,
    skipped: skipped.length,
    lines: [
      ...skipped.map((test) => `skipped: ${test.fullName}`),
      ...flaky.map((name) => `flaky: ${name} (failed beside others, passed alone: to be mended)`),
      ...failed.map((name) => `failed: ${name}`),
    ],
  };
}

/** @returns the files in which something failed */
function failedFiles(result) {
  return result.testResults
    .filter((suite) => failures(suite).length > 0)
    .map((suite) => suite.name);
}

const [first, ...rest] = process.argv.slice(2);
const read = (file) => JSON.parse(fs.readFileSync(file, "utf8"));
if (first === "--failed-files") {
  for (const file of rest.map(read).flatMap(failedFiles)) console.log(file);
} else {
  const results = [first, ...rest].filter((file) => file && fs.existsSync(file)).map(read);
  const { passed, failed, skipped, lines } = tally(results);
  for (const line of lines) console.log(line);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}
