/**
 * Cuts a queue worker off from the network for a while, and looks whether the result is that of an undisturbed run.
 *
 * Usage: node scripts/cut-off-shards.mjs FILE [--seconds 60] [--times 150]
 *
 * Four `nasty work`, each in a network namespace of its own, take the shards of FILE (repeated so many times) from a
 * Redis on a bridge between them. When each has done something, the link of one goes down, with a shard under way.
 * Needs Linux, root, `ip` and redis-server. Prints one JSON object; ends with code 1 where a byte differs.
 */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "60" }, times: { type: "string", default: "150" } },
});
if (positionals[0] === undefined) {
  console.error("usage: node scripts/cut-off-shards.mjs FILE [--seconds 60] [--times 150]");
  process.exit(2);
}
const binary = fileURLToPath(new URL("../apps/cli/bin/nasty.js", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "cut-off-shards-"));
const file = join(root, "text");
for (let time = 0; time < Number(values.times); time++) appendFileSync(file, readFileSync(positionals[0]));

const tag = `nt${process.pid % 10_000}`;
const ip = (...parameters) => execFileSync("ip", parameters, { stdio: ["ignore", "ignore", "pipe"] });
const names = [1, 2, 3, 4].map((number) => `${tag}w${number}`);
const [prefix, port] = ["10.213.77", 6390];

function makeNetwork() {
  ip("link", "add", tag, "type", "bridge");
  ip("addr", "add", `${prefix}.254/24`, "dev", tag);
  ip("link", "set", tag, "up");
  for (const [at, name] of names.entries()) {
    ip("netns", "add", name);
    ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name);
    ip("link", "set", name, "master", tag, "up");
    ip("-n", name, "addr", "add", `${prefix}.${at + 1}/24`, "dev", "eth0");
    ip("-n", name, "link", "set", "eth0", "up");
    ip("-n", name, "link", "set", "lo", "up");
  }
}

function removeNetwork() {
  for (const name of names) {
    try {
      ip("netns", "del", name);
    } catch {
      // It was not made.
    }
  }
  try {
    ip("link", "del", tag);
  } catch {
    // It was not made.
  }
}

function start(command, parameters) {
  const child = spawn(command, parameters, { stdio: ["ignore", "pipe", "pipe"] });
  const one = { child, out: "", said: "", ended: once(child, "close") };
  child.stdout.on("data", (chunk) => (one.out += chunk));
  child.stderr.on("data", (chunk) => (one.said += chunk));
  return one;
}

const nasty = (parameters, ...before) => {
  const [command, ...rest] = [...before, process.execPath, binary, ...parameters];
  return start(command, rest);
};

async function mustEnd(one) {
  const [code] = await one.ended;
  if (code !== 0) throw new Error(one.said);
  return one.out === "" ? undefined : JSON.parse(one.out);
}

const tagging = (output) => ["tag", file, "--output", output, "--shard-words", "5000", "--json"];

/** Names and hashes of all that is in a folder but its plan, which says when texts were changed. */
function contents(folder) {
  return readdirSync(folder)
    .filter((name) => name !== "plan.json")
    .toSorted()
    .map(
      (name) =>
        `${name} ${createHash("sha256")
          .update(readFileSync(join(folder, name)))
          .digest("hex")}`,
    )
    .join("\n");
}

const doneBy = (one) => (one.said.match(/(\d+) shards, [\d,]+ words, /g) ?? []).at(-1);
const processes = [];
try {
  makeNetwork();
  await mustEnd(nasty([...tagging(join(root, "alone")), "--workers", "2"]));
  const redis = start(
    "redis-server",
    ["--bind", `${prefix}.254`, "--port", `${port}`, "--protected-mode", "no"].concat([
      "--save",
      "",
      "--dir",
      root,
    ]),
  );
  processes.push(redis);
  await wait(1000);
  const url = `redis://${prefix}.254:${port}`;
  const output = join(root, "queued");
  const workers = names.map((name) =>
    nasty(
      ["work", "--queue", url, "--workers", "1", "--patience", "10", "--json"],
      "ip",
      "netns",
      "exec",
      name,
    ),
  );
  processes.push(...workers);
  const follower = nasty([...tagging(output), "--queue", url]);
  processes.push(follower);
  while (readdirSync(root).includes("queued") === false || readdirSync(output).length < 20) await wait(100);
  const cut = performance.now();
  ip("link", "set", names[0], "down");
  const before = doneBy(workers[0]);
  await Promise.race([follower.ended, wait(Number(values.seconds) * 1000)]);
  const secondsCut = (performance.now() - cut) / 1000;
  ip("link", "set", names[0], "up");
  const result = await mustEnd(follower);
  // What was sent while the link was down arrives a while after it is up.
  await wait(10_000);
  for (const { child } of workers) child.kill("SIGTERM");
  const counts = [];
  for (const one of workers) counts.push((await mustEnd(one)).shards);
  const isSame = contents(output) === contents(join(root, "alone"));
  const { shards, written, seconds, failed } = result;
  console.log(
    JSON.stringify({ shards, written, seconds, failed, secondsCut, before, byWorker: counts, isSame }),
  );
  process.exitCode = isSame ? 0 : 1;
} finally {
  for (const { child } of processes) child.kill("SIGKILL");
  removeNetwork();
  rmSync(root, { recursive: true, force: true });
}
