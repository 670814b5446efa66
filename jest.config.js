/** swc only strips types (fast); `npm run types` is what checks them. */
const transform = {
  "^.+\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2022" } }],
};

/** What boots hosts or drives an engine for minutes runs by itself, one file at a time. */
const slow = ["test/e2e/", "test/conformance/", "test/lab/hosts/", "test/lab/daemon/"];

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
      testPathIgnorePatterns: ["/node_modules/", ...slow.map((folder) => `<rootDir>/${folder}`)],
    },
    {
      ...common,
      displayName: "e2e",
      testMatch: slow.map((folder) => `<rootDir>/${folder}**/*.test.ts`),
    },
  ],
};
