import tseslint from "typescript-eslint";
import prettier from "eslint-config-prettier";

/** Which folder may import which: data flows one way. */
const only = (files, patterns, message) => ({
  files,
  rules: { "no-restricted-imports": ["error", { patterns: [{ group: patterns, message }] }] },
});

/** What decides and looks, without Pulumi. */
const PRODUCT = [
  "converge/**",
  "health/**",
  "hosts/**",
  "paths/**",
  "payload/**",
  "probe/**",
  "settings/**",
  "tailnet/**",
  "tunnels/**",
];

export default tseslint.config(
  { ignores: ["node_modules/", ".cache/", "coverage/"] },
  ...tseslint.configs.recommended,
  {
    files: ["**/*.ts"],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      eqeqeq: "error",
      "prefer-const": "error",
    },
  },
  { files: ["**/*.js"], rules: { "@typescript-eslint/no-require-imports": "off" } },
  only(
    [...PRODUCT, "cli/**"],
    ["@pulumi/*"],
    "Only components/, config.ts and index.ts import Pulumi.",
  ),
  only(
    ["lab/engine/**", "lab/providers/**"],
    ["**/hosts/*", "**/hosts/plan/*", "**/components/*", "**/payload/*", "**/probe/*", "**/cli/*"],
    "The engine and its providers import nothing from the product.",
  ),
  only(
    ["*.ts", "components/**", ...PRODUCT],
    ["**/lab/*"],
    "The product imports nothing from the lab.",
  ),
  prettier,
);
