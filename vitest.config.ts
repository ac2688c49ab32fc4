import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "packages",
          include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "test/**/*.test.ts"],
          testTimeout: 60_000,
          pool: "forks",
          setupFiles: ["test/setup/property-seed.ts"],
        },
      },
    ],
  },
});
