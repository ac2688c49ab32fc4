// Everything that decides whether a checkout is good, in order of cost; stops at the first step that fails.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };

const steps = [
  ["set up: install and build", "node scripts/setup.mjs --quiet"],
  ["manifests agree", "npx sherif"],
  ["lint", "npx oxlint --deny-warnings"],
  ["format", "npx biome format ."],
  ["width of prose", "node scripts/prose-width.mjs"],
  ["types of tests", "npx tsc -p tsconfig.tests.json"],
  ["layers", "npx turbo boundaries"],
  ["unused files, exports and dependencies", "npx knip --no-config-hints"],
  ["packed packages: what they say and hold; examples, tsx and bundles", "node scripts/check-packages.mjs"],
  ["documentation: pages, links, what they load", "npm run --silent --prefix apps/docs site"],
  ["tests", "npx vitest run"],
  ["packed packages under other engines", `node scripts/engines/test.mjs${process.env.CI ? " --all" : ""}`],
  ["numeric tests on other processors", "node scripts/processors/test.mjs"],
];

for (const [title, command] of steps) {
  const start = Date.now();
  process.stdout.write(`\n== ${title}: ${command}\n`);
  const { status } = spawnSync(command, { cwd: root, env, shell: true, stdio: "inherit" });
  process.stdout.write(
    `== ${title}: ${status === 0 ? "ok" : "FAILED"} (${((Date.now() - start) / 1000).toFixed(1)} s)\n`,
  );
  if (status !== 0) process.exit(status ?? 1);
}
if (env.NASTY_TEST_REDIS === undefined) {
  process.stdout.write(
    "\nNot run: the tests of queues, which need redis-server and openssl: scripts/with-redis.sh npx vitest run test/redis\n",
  );
}
