/**
 * Kills what tags a corpus (`kill -9`) at random moments, and looks whether the result is that of an undisturbed run.
 *
 * Usage: node scripts/kill-shards.mjs FILE [--kills 100] [--seed 1]
 *
 * Half of the kills hit `nasty tag --workers 2` and its workers; the other half three `nasty work`, their tagging
 * processes, and the `nasty tag --queue` that follows them, over a Redis of its own with an append-only file, which is
 * itself killed and started again twice. Runs begin anew until all kills are done; every one must end with the same
 * bytes. Needs Linux (/proc) and redis-server. Prints one JSON object; ends with code 1 where a byte differs.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { kills: { type: "string", default: "100" }, seed: { type: "string", default: "1" } },
});
if (positionals[0] === undefined) {
  console.error("usage: node scripts/kill-shards.mjs FILE [--kills 100] [--seed 1]");
  process.exit(2);
}
const file = resolve(positionals[0]);
const binary = fileURLToPath(new URL("../apps/cli/bin/nasty.js", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "kill-shards-"));

/** Milliseconds between two kills, at most: several shards, and enough to start again. */
const longest = 4000;

let state = Number(values.seed);
/** From 0 up to 1 (mulberry32). */
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const oneOf = (list) => list[Math.floor(random() * list.length)];

function start(parameters) {
  const child = spawn(process.execPath, [binary, ...parameters], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => (said += chunk));
  const one = { child, isOver: false, code: null, said: () => said, ended: once(child, "exit") };
  void one.ended.then(([code]) => Object.assign(one, { isOver: true, code }));
  return one;
}

const childrenOf = (pid) => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .trim()
      .split(" ")
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
};

const kill = (pid) => {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
};

/** Names and hashes of all that is in a folder but its plan, which says when texts were changed. */
function contents(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return files
    .filter((entry) => entry.isFile() && entry.name !== "plan.json")
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return `${path.slice(folder.length)} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
    })
    .toSorted()
    .join("\n");
}

const tagging = (output) => ["tag", file, "--output", output, "--shard-words", "1000", "--quiet"];

function mustSucceed(parameters) {
  const { status, stderr } = spawnSync(process.execPath, [binary, ...parameters], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

/** Whether a folder, once the same command has gone over it and joined it, is the undisturbed one. */
function isRight(output) {
  mustSucceed([...tagging(output), "--workers", "2"]);
  mustSucceed(["tag", "--merge", "--output", output, "--quiet"]);
  const found = contents(output);
  if (found !== wanted) console.error(`${output}: expected\n${wanted}\ngot\n${found}`);
  return found === wanted;
}

async function killProcesses(wantedKills) {
  const done = { kills: 0, ofParents: 0, runs: 0, same: 0 };
  for (; done.kills < wantedKills; done.runs++) {
    const output = join(root, `processes-${done.runs}`);
    let isWhole = false;
    while (!isWhole) {
      const parent = start([...tagging(output), "--workers", "2"]);
      while (!parent.isOver && done.kills < wantedKills) {
        await Promise.race([parent.ended, wait(longest * random())]);
        const workers = childrenOf(parent.child.pid);
        const isParent = workers.length === 0 || random() < 0.2;
        if (parent.isOver || !kill(isParent ? parent.child.pid : oneOf(workers))) break;
        done.kills++;
        done.ofParents += isParent ? 1 : 0;
      }
      await parent.ended;
      isWhole = parent.code === 0;
      // Three workers killed at one shard give it up, and the run says so; any other end is a fault.
      if (!isWhole && parent.code !== null && parent.code !== 3) throw new Error(parent.said());
    }
    done.same += isRight(output) ? 1 : 0;
  }
  return done;
}

const freePort = () =>
  new Promise((found) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });

async function openRedis() {
  const port = await freePort();
  let server;
  const run = async () => {
    const options = [
      "--port",
      port,
      "--bind",
      "127.0.0.1",
      "--dir",
      root,
      "--save",
      "",
      "--appendonly",
      "yes",
    ];
    server = spawn("redis-server", options.map(String), { stdio: "ignore" });
    while (spawnSync("redis-cli", ["-p", String(port), "ping"]).stdout.toString() !== "PONG\n")
      await wait(50);
  };
  await run();
  return {
    url: `redis://127.0.0.1:${port}`,
    async restart() {
      const gone = once(server, "exit");
      server.kill("SIGKILL");
      await gone;
      await wait(1000);
      await run();
    },
    stop: () => server.kill("SIGKILL"),
  };
}

async function killQueueWorkers(wantedKills) {
  const redis = await openRedis();
  const working = ["work", "--queue", redis.url, "--workers", "1", "--patience", "2", "--quiet"];
  const done = { kills: 0, ofTaggers: 0, ofFollowers: 0, redisKills: 0, runs: 0, same: 0 };
  const workers = Array.from({ length: 3 }, () => start(working));
  try {
    for (; done.kills < wantedKills || done.redisKills < 2; done.runs++) {
      const output = join(root, `queue-${done.runs}`);
      const following = [...tagging(output), "--queue", redis.url];
      let follower = start(following);
      while (!follower.isOver || follower.code !== 0) {
        await Promise.race([follower.ended, wait(longest * random())]);
        if (follower.isOver && follower.code === 0) break;
        if (follower.isOver) follower = start(following);
        if (done.redisKills < 2 && done.kills >= ((done.redisKills + 1) * wantedKills) / 3) {
          await redis.restart();
          done.redisKills++;
        }
        if (done.kills >= wantedKills) continue;
        const at = Math.floor(random() * workers.length);
        const taggers = workers.flatMap(({ child }) => childrenOf(child.pid));
        const draw = random();
        if (draw < 0.1) {
          if (!kill(follower.child.pid)) continue;
          done.ofFollowers++;
        } else if (draw < 0.5 && taggers.length > 0) {
          if (!kill(oneOf(taggers))) continue;
          done.ofTaggers++;
        } else {
          if (!kill(workers[at].child.pid)) continue;
          await workers[at].ended;
          workers[at] = start(working);
        }
        done.kills++;
      }
      done.same += isRight(output) ? 1 : 0;
    }
  } finally {
    for (const { child } of workers) child.kill("SIGKILL");
    redis.stop();
  }
  return done;
}

const undisturbed = join(root, "undisturbed");
mustSucceed([...tagging(undisturbed), "--workers", "1"]);
mustSucceed(["tag", "--merge", "--output", undisturbed, "--quiet"]);
const wanted = contents(undisturbed);
try {
  const half = Math.ceil(Number(values.kills) / 2);
  const processes = await killProcesses(half);
  const queue = await killQueueWorkers(Number(values.kills) - half);
  console.log(JSON.stringify({ processes, queue }));
  process.exitCode = processes.same === processes.runs && queue.same === queue.runs ? 0 : 1;
} finally {
  rmSync(root, { recursive: true, force: true });
}
