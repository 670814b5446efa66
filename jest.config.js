/** swc only strips types (fast); `npm run types` is what checks them. */
const transform = {
  "^.+\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2022" } }],
};

module.exports = {
  testEnvironment: "node",
  transform,
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  modulePathIgnorePatterns: ["<rootDir>/.cache"],
};
