import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";
import { LongestFirst } from "./test/setup/longest-first.js";
import { sourceAliases } from "./test/setup/sources.js";

// `scripts/with-redis.sh` starts one.
const withoutRedis = process.env.NASTY_TEST_REDIS === undefined ? ["**/test/redis/**"] : [];

export default defineConfig({
  test: {
    // By default a core is left alone, which on two is half of the machine.
    maxWorkers: availableParallelism(),
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        resolve: { alias: sourceAliases(fileURLToPath(new URL(".", import.meta.url))) },
        test: {
          name: "packages",
          include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...withoutRedis],
          testTimeout: 60_000,
          pool: "forks",
          globalSetup: ["test/setup/build.ts"],
          setupFiles: ["test/setup/property-seed.ts"],
        },
      },
    ],
  },
});
