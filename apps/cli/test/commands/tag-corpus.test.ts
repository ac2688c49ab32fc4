import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sentences } from "../tiny-corpus.js";
import { openWorkshop, startBinary, type Workshop } from "../workshop.js";

let shop: Workshop;
const prose = `${sentences.join("\n\n")}\n\n`;

beforeAll(async () => {
  shop = await openWorkshop();
  await mkdir(shop.path("texts"));
  await shop.write("texts/a.txt", prose.repeat(5));
  await shop.write("texts/b.txt", prose.repeat(2));
  await mkdir(shop.path("bad"));
  await shop.write("bad/good.txt", prose);
  await shop.write("bad/broken.conllu", "1\tonly\tthree\n\n");
});
afterAll(() => shop.remove());

const args = (output: string, ...more: string[]): string[] => [
  "tag",
  "texts",
  "--model",
  "pos",
  "--output",
  output,
  "--shard-words",
  "20",
  ...more,
];

/** Every shard and manifest of a folder. */
async function contents(output: string): Promise<Record<string, string>> {
  const names = (await readdir(shop.path(output))).filter(
    (name) => name !== "plan.json" && name !== "merged",
  );
  const files = names.map(async (name) => [
    name,
    (await readFile(shop.path(output, name))).toString("base64"),
  ]);
  return Object.fromEntries(await Promise.all(files));
}

/** Whole shards so far. */
async function shardCount(output: string): Promise<number> {
  const names = await readdir(shop.path(output)).catch(() => []);
  return names.filter((name) => /^\d.*json$/.test(name)).length;
}

/** Processes that a process started. */
const childrenOf = (pid: number | undefined): number[] => {
  try {
    return execFileSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" })
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map(Number);
  } catch {
    return [];
  }
};

describe("tag --output", () => {
  it("tags a folder, does a part, and joins the parts", async () => {
    const whole = await shop.json(args("whole", "--workers", "2"));
    expect(whole).toMatchObject({ output: "whole", texts: 2, found: 0, failed: [], part: null });
    const part = await shop.json(args("parts", "--shard", "2/2", "--workers", "1"));
    expect(part.part).toEqual({ index: 2, of: 2 });
    const early = await shop.nasty(["tag", "--merge", "--output", "parts", "--json"]);
    expect(early.code).toBe(3);
    expect(early.stderr).toContain("run the missing jobs again");
    expect(JSON.parse(early.stdout).lacking).toHaveLength(whole.shards - part.written);
    await shop.json(args("parts", "--shard", "1/2", "--workers", "1"));
    const { merged } = await shop.json(["tag", "--merge", "--output", "parts"]);
    expect(merged.map(({ input }: { input: string }) => input)).toEqual(["a.txt", "b.txt"]);
    expect(await contents("parts")).toEqual(await contents("whole"));
  });

  it("ends with 3 and a list where a text cannot be tagged, with the others done", async () => {
    const command = ["tag", "bad", "--model", "pos", "--output", "some", "--workers", "1"];
    const { code, stdout, stderr } = await shop.nasty([...command, "--json"]);
    expect(code).toBe(3);
    const { failed, written } = JSON.parse(stdout);
    expect(written).toBe(1);
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatchObject({ input: "broken.conllu", shards: 1 });
    expect(failed[0].error).toContain("line 1");
    expect(stderr).toContain("nasty: tag: 1 of 2 texts failed, the others are done; first broken.conllu");
    const fast = await shop.nasty([...command, "--fail-fast"]);
    expect(fast).toMatchObject({ code: 3, stdout: "" });
    expect(fast.stderr).toContain("nasty: tag: broken.conllu: ");
  });

  it.each([
    [2, "--shard: expected --output", ["tag", "texts", "--shard", "1/2"]],
    [2, "expected --output", ["tag", "x", "--format", "parquet"]],
    [2, "--format entities: expected", args("no", "--format", "entities")],
    [2, "no texts beside", ["tag", "texts", "--merge", "--output", "no"]],
    [3, "got no plan in it", ["tag", "--merge", "--output", "no"]],
  ])("refuses what makes no sense together with %i: %s", async (code, what, given) => {
    expect(await shop.refused(code, given)).toContain(what);
  });

  it("survives being killed, and workers that are killed", async () => {
    const output = "disturbed";
    const start = () => {
      const child = startBinary(shop.folder, args(output, "--workers", "2"));
      let said = "";
      child.stderr.on("data", (chunk) => (said += chunk));
      return { child, ended: once(child, "exit"), said: () => said };
    };
    const first = start();
    while ((await shardCount(output)) < 2) await wait(5);
    first.child.kill("SIGKILL");
    await first.ended;
    const before = await shardCount(output);
    const second = start();
    while ((await shardCount(output)) <= before) await wait(5);
    for (const pid of childrenOf(second.child.pid)) process.kill(pid, "SIGKILL");
    expect((await second.ended)[0]).toBe(0);
    expect(second.said()).toContain("a worker process ended by SIGKILL: another one does");
    await shop.json(["tag", "--merge", "--output", output]);
    expect(await contents(output)).toEqual(await contents("whole"));
  });

  it("leaves nothing half-written on a signal", async () => {
    const child = startBinary(shop.folder, args("ended", "--workers", "2"));
    const ended = once(child, "exit");
    while ((await shardCount("ended")) < 3) await wait(5);
    child.kill("SIGTERM");
    expect((await ended)[0]).toBe(143);
    expect((await readdir(shop.path("ended"))).filter((name) => name.startsWith("."))).toEqual([]);
    const { found, failed } = await shop.json(args("ended", "--resume", "--workers", "1"));
    expect(failed).toEqual([]);
    expect(found).toBeGreaterThan(0);
  });
});

describe("tag --workers", () => {
  const run = async (input: string, ...more: string[]): Promise<string> => {
    const { code, stdout, stderr } = await shop.nasty(["tag", "--model", "pos", ...more], { input });
    expect(code, stderr).toBe(0);
    return stdout;
  };
  const workers = ["--workers", "2", "--shard-words", "10"];

  it.each(["conllu", "json"])("keeps the order of standard input as %s", async (format) => {
    const numbered = Array.from({ length: 40 }, (_, at) => `The cat number ${at} sat .\n\n`).join("");
    const one = await run(numbered, "--format", format);
    expect(await run(numbered, "--format", format, ...workers)).toBe(one);
    expect(one).toContain("39");
  });

  it("keeps what stands beside the labels of words that are given", async () => {
    const given = (await shop.bytes("test.conllu")).toString().replaceAll("\n\n", "\n\n\n") + "# the end\n";
    expect(await run(given, ...workers)).toBe(await run(given));
  });

  it("ends with the place of an error in the whole text", async () => {
    const given = `${(await shop.bytes("test.conllu")).toString()}1\tthree\tcolumns\n\n`;
    const { code, stderr } = await shop.nasty(["tag", "--model", "pos", ...workers], { input: given });
    expect(code).toBe(3);
    expect(stderr).toContain(`line ${given.split("\n").length - 2}: column count`);
  });
});
