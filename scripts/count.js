/** Adds up jest's results and ends with one plain line. @param argv result files of `jest --json` */
const fs = require("node:fs");

const total = { passed: 0, failed: 0, skipped: 0 };
const files = process.argv.slice(2).filter((file) => fs.existsSync(file));
for (const file of files) {
  const result = JSON.parse(fs.readFileSync(file, "utf8"));
  total.passed += result.numPassedTests;
  total.failed += result.numFailedTests;
  total.skipped += result.numPendingTests + result.numTodoTests;
  for (const suite of result.testResults) {
    // A suite that could not even be loaded has no tests to count.
    if (suite.status === "failed" && suite.assertionResults.length === 0) total.failed += 1;
    for (const test of suite.assertionResults) {
      if (test.status === "failed") console.log(`failed: ${test.fullName}`);
      if (test.status === "pending") console.log(`skipped: ${test.fullName}`);
    }
  }
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
