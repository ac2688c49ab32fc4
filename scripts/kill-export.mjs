/**
 * Kills `nasty export` over an existing directory at many moments, and looks at what it leaves: the old directory or
 * the new one, whole.
 *
 * Usage: node scripts/kill-export.mjs OLD NEW [KILLS]
 *
 * OLD and NEW are models of the same labels and tokenizer and of the same kind (both float32), such as a model before
 * and after pruning. Prints one JSON object; ends with code 1 where a run left anything else.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [oldModel, newModel, given = "50"] = process.argv.slice(2);
if (newModel === undefined) {
  console.error("usage: node scripts/kill-export.mjs OLD NEW [KILLS]");
  process.exit(2);
}
const kills = Number(given);
const binary = fileURLToPath(new URL("../apps/cli/bin/nasty.js", import.meta.url));
const preload = new URL("kill-at.mjs", import.meta.url).href;
const root = mkdtempSync(join(tmpdir(), "kill-export-"));
const text = "The old man walks slowly. Prices rose by 3 percent in London.\n";

function nasty(parameters, { killAt, input } = {}) {
  const options = killAt === undefined ? [] : ["--import", preload];
  return spawnSync(process.execPath, [...options, binary, ...parameters], {
    encoding: "utf8",
    input: input ?? "",
    env: { ...process.env, ...(killAt === undefined ? {} : { KILL_AT: killAt }) },
  });
}

/** Names and hashes of every visible file. */
function contents(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const hashes = entries.map((entry) => {
    const path = join(entry.parentPath, entry.name);
    return `${path.slice(folder.length)} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
  });
  return hashes.toSorted().join("\n");
}

function exported(model, output, killAt) {
  return nasty(["export", "--model", model, "--output", output, "--quiet"], { killAt });
}

function mustSucceed(run) {
  if (run.status !== 0) throw new Error(run.stderr);
  return run;
}

const before = join(root, "before");
mustSucceed(exported(oldModel, before));
const after = join(root, "after");
cpSync(before, after, { recursive: true });
const calls = Number(/calls: (\d+)/.exec(mustSucceed(exported(newModel, after, "0")).stderr)?.[1]);
const states = new Map([
  [contents(before), "old"],
  [contents(after), "new"],
]);
const found = { old: 0, new: 0, mixed: 0 };
let tagged = 0;
let leftovers = 0;
let killed = 0;
const output = join(root, "output");
for (let i = 0; i < kills; i++) {
  rmSync(output, { recursive: true, force: true });
  cpSync(before, output, { recursive: true });
  // Every moment from the last third on is tried, where the directory is put in place; then the earlier ones.
  const call = calls - (Math.floor(i / 2) % calls);
  const run = exported(newModel, output, `${call}${i % 2 === 0 ? "" : "+"}`);
  if (run.signal === "SIGKILL") killed += 1;
  // The reader comes first, and puts right what a crash between two renames left.
  if (nasty(["tag", "--model", output], { input: text }).status === 0) tagged += 1;
  found[states.get(contents(output)) ?? "mixed"] += 1;
  mustSucceed(exported(newModel, output));
  leftovers += readdirSync(root).filter((name) => name.startsWith(".")).length;
}
rmSync(root, { recursive: true, force: true });
console.log(JSON.stringify({ calls, kills, killed, ...found, tagged, leftovers }));
process.exit(found.mixed > 0 || leftovers > 0 || tagged < kills ? 1 : 0);
