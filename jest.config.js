/** swc only strips types (fast); `npm run types` is what checks them. */
const transform = {
  "^.+\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2022" } }],
};

/** What measures itself runs when nothing else does. */
const alone = ["test/hosts/costly.test.ts", "test/probe/cost.test.ts"];

/** What boots hosts or drives an engine for minutes (scripts/test.sh says how many files at a time). */
const slow = [
  "test/e2e/",
  "test/conformance/",
  "test/lab/hosts/",
  "test/lab/tailnet/",
  "test/lab/daemon/",
  "test/lab/cloudflare/hosts.test.ts",
  "test/payload/agent.test.ts",
];

const common = {
  testEnvironment: "<rootDir>/test/environment.js",
  transform,
  modulePathIgnorePatterns: ["<rootDir>/.cache"],
};

module.exports = {
  // Milliseconds. Only a hang reaches it: jest's own 5 s are less than a busy machine may need for a passphrase's key.
  testTimeout: 120_000,
  testSequencer: "<rootDir>/test/longestFirst.js",
  projects: [
    {
      ...common,
      displayName: "unit",
      testMatch: ["<rootDir>/test/**/*.test.ts"],
      testPathIgnorePatterns: [
        "/node_modules/",
        ...[...slow, ...alone].map((path) => `<rootDir>/${path}`),
      ],
    },
    {
      ...common,
      displayName: "e2e",
      testMatch: slow.map((path) => `<rootDir>/${path}${path.endsWith("/") ? "**/*.test.ts" : ""}`),
    },
    {
      ...common,
      displayName: "alone",
      testMatch: alone.map((path) => `<rootDir>/${path}`),
    },
  ],
};
