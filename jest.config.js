/** swc only strips types (fast); `npm run types` is what checks them. */
const transform = {
  "^.+\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2022" } }],
};

/** What boots hosts, drives an engine for minutes or measures itself runs one file at a time. */
const slow = [
  "test/e2e/",
  "test/conformance/",
  "test/lab/hosts/",
  "test/lab/tailnet/",
  "test/lab/daemon/",
  "test/lab/cloudflare/hosts.test.ts",
  "test/payload/agent.test.ts",
  "test/hosts/costly.test.ts",
];

const common = {
  testEnvironment: "node",
  transform,
  modulePathIgnorePatterns: ["<rootDir>/.cache"],
};

module.exports = {
  projects: [
    {
      ...common,
      displayName: "unit",
      testMatch: ["<rootDir>/test/**/*.test.ts"],
      testPathIgnorePatterns: ["/node_modules/", ...slow.map((path) => `<rootDir>/${path}`)],
    },
    {
      ...common,
      displayName: "e2e",
      testMatch: slow.map((path) => `<rootDir>/${path}${path.endsWith("/") ? "**/*.test.ts" : ""}`),
    },
  ],
};
