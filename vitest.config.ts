import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { sourceAliases } from "./test/setup/sources.js";

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias: sourceAliases(fileURLToPath(new URL(".", import.meta.url))) },
        test: {
          name: "packages",
          include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "test/**/*.test.ts"],
          testTimeout: 60_000,
          pool: "forks",
          globalSetup: ["test/setup/build.ts"],
          setupFiles: ["test/setup/property-seed.ts"],
        },
      },
    ],
  },
});
