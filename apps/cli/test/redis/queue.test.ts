import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { sentences } from "../tiny-corpus.js";
import { openWorkshop, startBinary, type Workshop } from "../workshop.js";

let shop: Workshop;
const {
  NASTY_TEST_REDIS: server,
  NASTY_TEST_REDIS_TLS: secure,
  NASTY_TEST_REDIS_CA: authority,
} = process.env;
if (server === undefined || secure === undefined || authority === undefined) {
  throw new Error("expected NASTY_TEST_REDIS, got none; run scripts/with-redis.sh npm test");
}
const queue = `${server}/2`;
const redis = (...command: string[]): string =>
  execFileSync("redis-cli", ["-u", queue, ...command], { encoding: "utf8" });

beforeAll(async () => {
  shop = await openWorkshop();
  await shop.write("a.txt", `${sentences.join("\n\n")}\n\n`.repeat(8));
  await shop.json(["tag", "a.txt", ...tagging("alone"), "--workers", "1"]);
});
beforeEach(() => void redis("flushdb"));
afterAll(() => shop.remove());

const tagging = (output: string): string[] => ["--model", "pos", "--output", output, "--shard-words", "20"];

/** A command that runs beside the test, and what it said. */
function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = startBinary(shop.folder, args, env);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
  return { child, ended: once(child, "exit"), said: () => said };
}

async function shardsIn(output: string): Promise<string[]> {
  const names = await readdir(shop.path(output)).catch(() => []);
  return names.filter((name) => name.endsWith(".conllu") && !name.startsWith(".")).toSorted();
}

const worker = ["work", "--queue", queue, "--workers", "1", "--patience", "1"];
const isSame = async (output: string): Promise<void> => {
  const names = await shardsIn("alone");
  expect(await shardsIn(output)).toEqual(names);
  for (const name of names) {
    expect((await shop.bytes(`${output}/${name}`)).equals(await shop.bytes(`alone/${name}`))).toBe(true);
  }
};

it("a worker finishes what it has on SIGTERM; one that is killed gives its shard back", async () => {
  const follower = start(["tag", "a.txt", ...tagging("out"), "--queue", queue, "--json"]);
  const killed = start(worker);
  while ((await shardsIn("out")).length < 2) await wait(5);
  killed.child.kill("SIGKILL");
  await killed.ended;
  const asked = start([...worker, "--json"]);
  const before = (await shardsIn("out")).length;
  while ((await shardsIn("out")).length < before + 2) await wait(5);
  asked.child.kill("SIGTERM");
  expect((await asked.ended)[0]).toBe(0);
  expect(asked.said()).toContain("finishing the shards under way");
  const done = JSON.parse(/^\{[^]*^\}/m.exec(asked.said())?.[0] ?? "") as {
    shards: number;
    failures: number;
  };
  expect(done.shards).toBeGreaterThanOrEqual(2);
  expect(done.failures).toBe(0);
  expect((await readdir(shop.path("out"))).filter((name) => name.startsWith("."))).toEqual([]);
  const last = start([...worker, "--until-empty"]);
  expect((await follower.ended)[0]).toBe(0);
  expect((await last.ended)[0]).toBe(0);
  await isSame("out");
});

it("no password is shown, wherever it was given; TLS is spoken where the address asks for it", async () => {
  redis("acl", "setuser", "tester", "on", ">s3cret", "~*", "&*", "+@all");
  try {
    const withPassword = queue.replace("//", "//tester:s3cret@");
    const follower = start(["tag", "a.txt", ...tagging("secret"), "--queue", withPassword]);
    const tls = `${secure}/2`.replace("//", "//tester@");
    const env = { NASTY_QUEUE_PASSWORD: "s3cret", NODE_EXTRA_CA_CERTS: authority };
    while (!redis("keys", "bull:*:wait").includes("wait")) await wait(5);
    const working = start(["work", "--queue", tls, "--until-empty", "--workers", "1"], env);
    const codes = [(await follower.ended)[0], (await working.ended)[0]];
    expect(codes, follower.said() + working.said()).toEqual([0, 0]);
    await isSame("secret");
    const distrusted = await shop.nasty(["work", "--queue", tls, "--until-empty"], {
      env: { NASTY_QUEUE_PASSWORD: "s3cret" },
    });
    expect(distrusted.code).toBe(3);
    expect(distrusted.stderr).toMatch(/expected Redis or Valkey there, got: .*certificate/);
    const wrong = await shop.nasty(["work", "--queue", withPassword.replace("s3cret", "wrong-s3cret")]);
    expect(wrong.code).toBe(3);
    expect(wrong.stderr).toContain("WRONGPASS");
    const said = [follower.said(), working.said(), distrusted.stderr, wrong.stderr].join("");
    expect(said).toContain(new URL(queue).host);
    expect(said).not.toContain("s3cret");
  } finally {
    redis("acl", "deluser", "tester");
  }
});

it("refuses what makes no sense beside a queue", async () => {
  const tag = ["tag", "a.txt", ...tagging("no"), "--queue", queue];
  expect(await shop.refused(2, [...tag, "--workers", "2"])).toContain("--queue");
  expect(await shop.refused(2, ["tag", "a.txt", "--queue", queue])).toContain("--queue: expected --output");
  expect(await shop.refused(2, ["work", "--queue", "nonsense"])).toContain("expected an address such as");
});
