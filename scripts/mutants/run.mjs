// Breaks the sources in one place at a time, in a copy of the checkout, and runs the tests that should notice:
//   node scripts/mutants/run.mjs [--only TEXT] [--part I/N]
// Each row of the tables beside this file is one break; --part runs every N-th of them. Exit code 1 if one survives, if
// the text that it replaces no longer stands in the source exactly once, or if nothing ran.
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { figureMutants } from "./figures.mjs";
import { modelMutants } from "./models.mjs";
import { textMutants } from "./texts.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { values } = parseArgs({
  options: { only: { type: "string", default: "" }, part: { type: "string", default: "1/1" } },
});
const [part, parts] = values.part.split("/").map(Number);
const mutants = [...figureMutants, ...textMutants, ...modelMutants]
  .filter(({ file, find }) => `${file} ${find}`.includes(values.only))
  .filter((_, index) => index % parts === part - 1);

/** A mutant that makes a loop endless is noticed too. */
const longest = 180_000;

/** The checkout without what is large, built anew or its history; what is installed is shared. */
function copyOfCheckout() {
  const copy = mkdtempSync(join(tmpdir(), "nasty-mutants-"));
  const left = new Set([".git", ".turbo", "node_modules"]);
  cpSync(root, copy, {
    recursive: true,
    verbatimSymlinks: true,
    preserveTimestamps: true,
    filter: (path) => !left.has(relative(root, path)),
  });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  // What is installed belongs to the checkout: pnpm would install it anew for a workspace in another place.
  appendFileSync(join(copy, "pnpm-workspace.yaml"), "verifyDepsBeforeRun: false\n");
  return copy;
}

/** What is wrong with a row itself, or nothing. */
function faultOf({ file, find, put, tests }) {
  if (!existsSync(join(root, file))) return "no such file";
  const found = readFileSync(join(root, file), "utf8").split(find).length - 1;
  if (found !== 1) return `text to replace: expected once, found ${found} times`;
  if (find === put) return "replaces nothing";
  const missing = tests.find((test) => !existsSync(join(root, test)));
  return missing === undefined ? undefined : `no such test: ${missing}`;
}

const copy = copyOfCheckout();
const setup = join(copy, "test/setup/build.ts");
const build = readFileSync(setup, "utf8");
const report = join(copy, "mutant.json");

/** Runs test files in the copy; sources are read as they lie there, and built only for tests of other processes. */
function run(tests, isBuilt) {
  writeFileSync(setup, isBuilt ? build : "export const setup = (): void => {};\n");
  rmSync(report, { force: true });
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const args = [vitest, "run", "--bail", "1", "--reporter", "json", "--outputFile", report, ...tests];
  const { error } = spawnSync(process.execPath, args, { cwd: copy, stdio: "ignore", timeout: longest });
  if (error !== undefined) return "timed out";
  if (!existsSync(report)) return "did not run";
  const { success, numFailedTests, numPassedTests } = JSON.parse(readFileSync(report, "utf8"));
  if (numFailedTests > 0) return "failed";
  return success && numPassedTests > 0 ? "passed" : "did not run";
}

/** What became of one mutant: `died`, `survived` or why it cannot be told. */
function fateOf(mutant) {
  const path = join(copy, mutant.file);
  const source = readFileSync(path, "utf8");
  writeFileSync(
    path,
    source.replace(mutant.find, () => mutant.put),
  );
  try {
    const outcome = run(mutant.tests, mutant.isBuilt === true);
    return { failed: "died", "timed out": "died", passed: "survived" }[outcome] ?? outcome;
  } finally {
    writeFileSync(path, source);
  }
}

const fates = {};
const note = (fate, { file, find, put }) => {
  fates[fate] = (fates[fate] ?? 0) + 1;
  if (fate !== "died") process.stdout.write(`${fate}: ${file}: ${find}\n      -> ${put}\n`);
};
try {
  for (const mutant of mutants) {
    const fault = faultOf(mutant);
    if (fault !== undefined) note(fault, mutant);
  }
  const sound = mutants.filter((mutant) => faultOf(mutant) === undefined);
  for (const isBuilt of [false, true]) {
    const some = sound.filter((mutant) => (mutant.isBuilt === true) === isBuilt);
    if (some.length === 0) continue;
    const outcome = run([...new Set(some.flatMap(({ tests }) => tests))], isBuilt);
    if (outcome !== "passed")
      throw new Error(`tests of the sources as they are: expected to pass, ${outcome}`);
    for (const mutant of some) note(fateOf(mutant), mutant);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
const summary = Object.entries(fates).map(([fate, count]) => `${count} ${fate}`);
process.stdout.write(`${mutants.length} mutants: ${summary.join(", ")}\n`);
if (fates.died !== mutants.length || mutants.length === 0) process.exit(1);
