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
    const part = await shop.json(args("parts", "--shard", "2/2"));
    expect(part.part).toEqual({ index: 2, of: 2 });
    const early = await shop.nasty(["tag", "--merge", "--output", "parts", "--json"]);
    expect(early.code).toBe(3);
    expect(early.stderr).toContain("run the missing jobs again");
    expect(JSON.parse(early.stdout).lacking).toHaveLength(whole.shards - part.written);
    await shop.json(args("parts", "--shard", "1/2"));
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

  it("refuses what makes no sense together, with nothing made", async () => {
    expect(await shop.refused(2, ["tag", "texts", "--shard", "1/2"])).toContain("--shard: expected --output");
    expect(await shop.refused(2, ["tag", "x", "--format", "parquet"])).toContain("expected --output");
    expect(await shop.refused(2, ["tag", "a", "b"])).toContain("expected one text for standard output");
    expect(await shop.refused(2, args("no", "--format", "entities"))).toContain(
      "--format entities: expected",
    );
    expect(await shop.refused(2, args("no", "--shard", "3/2"))).toContain("Expected a part such as 1/3");
    expect(await shop.refused(2, ["tag", "texts", "--merge", "--output", "no"])).toContain("no texts beside");
    expect(await shop.refused(3, ["tag", "--merge", "--output", "no"])).toContain("got no plan in it");
  });

  it("survives workers that are killed at any moment, and itself being killed", async () => {
    await shop.json(args("undisturbed", "--workers", "2"));
    let kills = 0;
    for (let run = 0; run < 6; run++) {
      const child = startBinary(shop.folder, args("disturbed", "--workers", "2", "--quiet"));
      const ended = once(child, "exit");
      let isOver = false;
      void ended.then(() => (isOver = true));
      // Later in each run, so that whole shards come to be.
      await wait(300 + 200 * run);
      const victims = childrenOf(child.pid);
      for (const pid of run % 3 === 2 ? [child.pid as number] : victims.slice(0, 1 + (run % 2))) {
        if (isOver) break;
        try {
          process.kill(pid, "SIGKILL");
          kills++;
        } catch {
          // It ended by itself in between.
        }
      }
      await ended;
    }
    expect(kills).toBeGreaterThan(0);
    const { failed } = await shop.json(args("disturbed", "--workers", "2"));
    expect(failed).toEqual([]);
    await shop.json(["tag", "--merge", "--output", "disturbed"]);
    expect(await contents("disturbed")).toEqual(await contents("undisturbed"));
  });

  it.each(["SIGTERM", "SIGINT"] as const)("leaves nothing half-written on %s", async (signal) => {
    const output = `until-${signal}`;
    const child = startBinary(shop.folder, args(output, "--workers", "2"));
    const ended = once(child, "exit");
    while ((await readdir(shop.path(output)).catch(() => [])).length < 4) await wait(20);
    child.kill(signal);
    const [code] = await ended;
    expect(code).toBe(signal === "SIGTERM" ? 143 : 130);
    expect((await readdir(shop.path(output))).filter((name) => name.startsWith("."))).toEqual([]);
    const { found, failed } = await shop.json(args(output, "--resume"));
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

  it.each(["text", "conllu", "json", "jsonl", "columns"])(
    "keeps the order of standard input as %s",
    async (format) => {
      const numbered = Array.from({ length: 40 }, (_, at) => `The cat number ${at} sat .\n\n`).join("");
      const one = await run(numbered, "--format", format);
      expect(await run(numbered, "--format", format, ...workers)).toBe(one);
      expect(one).toContain("39");
    },
  );

  it("keeps what stands beside the labels of words that are given", async () => {
    const given = (await shop.bytes("test.conllu")).toString().replaceAll("\n\n", "\n\n\n") + "# the end\n";
    expect(await run(given, ...workers)).toBe(await run(given));
    expect(await run(given, "--format", "json", ...workers)).toBe(await run(given, "--format", "json"));
  });

  it("ends with the place of an error in the whole text", async () => {
    const given = `${(await shop.bytes("test.conllu")).toString()}1\tthree\tcolumns\n\n`;
    const { code, stderr } = await shop.nasty(["tag", "--model", "pos", ...workers], { input: given });
    expect(code).toBe(3);
    expect(stderr).toContain(`line ${given.split("\n").length - 2}: column count`);
  });
});
