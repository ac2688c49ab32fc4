import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
// @boundaries-ignore the tiny models are those of the command's tests
import { columns, conllu, sentences } from "../../../../apps/cli/test/tiny-corpus.js";
// @boundaries-ignore the tiny models are those of the command's tests
import { writeTinyDirectory } from "../../../../apps/cli/test/tiny-tagger.js";
import { mergeCorpus, type ProgressEvent, tag, tagCorpus } from "../../src/index.js";

let models: string;
let folder: string;
const path = (...parts: string[]): string => join(folder, ...parts);

/** Without labels: what is read must not be what is written. */
const unlabelled = (text: string): string => text.replaceAll(/^(\d+\t\S+\t_\t)\w+/gm, "$1_");

beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "nasty-corpus-models-"));
  await writeTinyDirectory(join(models, "pos"));
  await writeTinyDirectory(join(models, "ner"), { task: "ner" });
});
afterAll(() => rm(models, { recursive: true, force: true }));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nasty-corpus-test-"));
  await mkdir(path("texts"));
  const prose = sentences.join("\n\n");
  await writeFile(path("texts", "a.txt"), `${prose}\n\n`.repeat(3));
  await writeFile(path("texts", "b.txt.gz"), gzipSync(`\uFEFF${prose}\n\n`.repeat(2)));
  await writeFile(path("texts", "c.conllu"), unlabelled(conllu()));
  await writeFile(path("texts", "d.tsv"), columns("upos"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const options = (output: string, more: object = {}) => ({
  model: join(models, "pos"),
  output: path(output),
  shardWords: 20,
  workers: 1,
  ...more,
});

/** Every file of a folder that is no plan: the plan knows when files were changed. */
async function contents(output: string): Promise<Record<string, string>> {
  const entries = await readdir(path(output), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name !== "plan.json");
  const pairs = files.map(async ({ parentPath, name }): Promise<[string, string]> => {
    const file = join(parentPath, name);
    return [file.slice(path(output).length + 1), (await readFile(file)).toString("base64")];
  });
  return Object.fromEntries((await Promise.all(pairs)).toSorted());
}

const shardNames = async (output: string): Promise<string[]> =>
  (await readdir(path(output))).filter((name) => /^\d{5}-/.test(name) && !name.endsWith(".json")).toSorted();

const text = async (...parts: string[]): Promise<string> => (await readFile(path(...parts))).toString();

describe("tagCorpus", () => {
  it("writes the same bytes with one worker, two, and in parts that are merged", async () => {
    const one = await tagCorpus(path("texts"), options("one"));
    expect(one).toMatchObject({ texts: 4, found: 0, failed: [], workers: 1, part: null });
    expect(one.written).toBe(one.shards);
    expect(one.shards).toBeGreaterThan(6);
    const two = await tagCorpus(path("texts"), options("two", { workers: 2 }));
    expect(two).toMatchObject({
      written: one.shards,
      words: one.words,
      sentences: one.sentences,
      workers: 2,
    });
    for (const index of [3, 1]) {
      const { written, part } = await tagCorpus(path("texts"), options("parts", { shard: { index, of: 3 } }));
      expect(part).toEqual({ index, of: 3 });
      expect(written).toBeLessThan(one.shards);
    }
    const before = await mergeCorpus(path("parts"));
    expect(before.merged).toEqual([]);
    expect(before.lacking.length).toBeGreaterThan(2);
    expect(before.lacking.every(({ state }) => state === "missing")).toBe(true);
    await tagCorpus(path("texts"), options("parts", { shard: "2/3" }));
    const merges = [];
    for (const output of ["one", "two", "parts"]) merges.push(await mergeCorpus(path(output)));
    expect(merges[0]).toMatchObject({ lacking: [], failed: [], words: one.words });
    expect(merges[0]?.merged.map(({ input }) => input)).toEqual(["a.txt", "b.txt.gz", "c.conllu", "d.tsv"]);
    const [first, ...others] = [await contents("one"), await contents("two"), await contents("parts")];
    for (const other of others) expect(other).toEqual(first);
  });

  it("gives what tag gives, though texts are cut: words, places, and all that is beside the labels", async () => {
    await tagCorpus(path("texts"), options("own"));
    await mergeCorpus(path("own"));
    expect(await text("own", "merged", "c.conllu")).toBe(conllu());
    expect(await text("own", "merged", "d.tsv")).toBe(columns("upos"));
    await tagCorpus(path("texts"), options("lines", { format: "jsonl" }));
    await mergeCorpus(path("lines"));
    for (const name of ["a.txt", "b.txt.gz", "c.conllu", "d.tsv"]) {
      let whole = "";
      const model = join(models, "pos");
      await tag(path("texts", name), (piece) => void (whole += piece), { model, format: "jsonl" });
      expect(await text("lines", "merged", `${name.replace(".gz", "")}.jsonl`)).toBe(whole);
      expect(whole).toMatch(/"(?:start|line)":/);
    }
  });

  it("reads every shard by the columns that the text begins with", async () => {
    const plus = `# global.columns = ID FORM UPOS\n${sentences
      .map(
        (one) =>
          `${one
            .split(" ")
            .map((word, at) => `${at + 1}\t${word}\t_`)
            .join("\n")}\n\n`,
      )
      .join("")}`;
    await writeFile(path("plus.conllup"), plus);
    await tagCorpus(path("plus.conllup"), options("plus", { shardWords: 5 }));
    const { merged, shards } = await mergeCorpus(path("plus"));
    expect(shards).toBeGreaterThan(5);
    const written = await text("plus", "merged", "plus.conllup.conllu");
    expect(written.replaceAll(/\t\w+$/gm, "\t_").replaceAll("PUNCT", "_")).toBe(plus);
    expect(written).toContain("2\tcat\tNOUN\n");
    expect(merged).toHaveLength(1);
  });

  it("leaves what is whole, and makes again what is not as its manifest says", async () => {
    await tagCorpus(path("texts"), options("out"));
    const whole = await contents("out");
    const names = await shardNames("out");
    const [cut = "", changed = "", lost = "", unsaid = ""] = names;
    await truncate(path("out", cut), 5);
    const bytes = await readFile(path("out", changed));
    bytes[3] = (bytes[3] as number) ^ 1;
    await writeFile(path("out", changed), bytes);
    await rm(path("out", lost));
    await rm(path("out", unsaid.replace(/\..*$/, ".json")));
    const { lacking } = await mergeCorpus(path("out"));
    expect(lacking.map(({ name, state }) => [name, state])).toEqual([
      [cut, "damaged"],
      [changed, "damaged"],
      [lost, "damaged"],
      [unsaid, "missing"],
    ]);
    const notes: string[] = [];
    const again = await tagCorpus(
      path("texts"),
      options("out", { resume: true, onNote: (note: string) => notes.push(note) }),
    );
    expect(again).toMatchObject({ written: 4, found: names.length - 4 });
    expect(notes.filter((note) => note.includes("is made again"))).toHaveLength(3);
    expect(await contents("out")).toEqual(whole);
  });

  it("refuses a folder with another plan, and says what differs", async () => {
    await tagCorpus(path("texts"), options("out"));
    const before = await contents("out");
    const refused = (more: object, what: string): Promise<void> =>
      expect(tagCorpus(path("texts"), options("out", more))).rejects.toThrow(what);
    await refused({ shardWords: 13 }, "shardWords 20 there, 13 now");
    await refused({ format: "text" }, "format none there, text now");
    await refused({ exactBatches: true }, "exactBatches false there, true now");
    await refused({ model: join(models, "ner") }, "model ");
    await writeFile(path("texts", "e.txt"), "One more.");
    await refused({}, "4 texts there, 5 now");
    await rm(path("texts", "e.txt"));
    await writeFile(path("texts", "a.txt"), "Changed.");
    await refused({}, "a.txt has changed, and is done there");
    expect(await contents("out")).toEqual(before);
    await expect(tagCorpus(path("texts"), options("new", { resume: true }))).rejects.toThrow("--resume");
    await expect(
      tagCorpus(path("texts", "a.txt"), { ...options("x"), output: path("texts") }),
    ).rejects.toThrow("expected an empty folder");
  });

  it("notices a text that was changed behind its plan's back", async () => {
    const file = path("texts", "a.txt");
    await tagCorpus(path("texts"), options("out", { shard: "1/2" }));
    const when = new Date(1e12);
    await utimes(file, when, when);
    await tagCorpus(path("texts"), options("out", { shard: "1/2" }));
    await writeFile(file, (await readFile(file, "utf8")).replaceAll("cat", "dog"));
    await utimes(file, when, when);
    // The plan says when it was changed last, so that it was not read again.
    const plan = JSON.parse(await text("out", "plan.json")) as { inputs: { modified: number }[] };
    (plan.inputs[0] as { modified: number }).modified = when.getTime();
    await writeFile(path("out", "plan.json"), JSON.stringify(plan));
    const { failed } = await tagCorpus(path("texts"), options("out", { shard: "2/2" }));
    expect(failed.map(({ input }) => input)).toEqual(["a.txt"]);
    expect(failed[0]?.error).toContain("expected what was there when it was planned");
  });

  it("lists texts that cannot be tagged, does the others, and goes on when they are mended", async () => {
    const bad = `${unlabelled(conllu())}1\tfive\tcolumns\tare\ttoo few\n\n`;
    await writeFile(path("texts", "bad.conllu"), bad + unlabelled(conllu()));
    await writeFile(path("texts", "binary.txt"), Buffer.of(1, 0, 2));
    await writeFile(path("texts", "latin.txt"), Buffer.from("caf\u00e9 is open.", "latin1"));
    const result = await tagCorpus(path("texts"), options("out", { workers: 2 }));
    const line = bad.split("\n").length - 2;
    expect(result.failed.map(({ input }) => input).toSorted()).toEqual([
      "bad.conllu",
      "binary.txt",
      "latin.txt",
    ]);
    const errorOf = (name: string): unknown => result.failed.find(({ input }) => input === name)?.error;
    expect(errorOf("bad.conllu")).toContain(`bad.conllu: line ${line}: column count: expected 10, got 5`);
    expect(errorOf("binary.txt")).toContain("got binary data");
    expect(errorOf("latin.txt")).toContain("expected UTF-8");
    expect(result.written).toBe(result.shards - 1);
    await expect(tagCorpus(path("texts"), options("out", { failFast: true }))).rejects.toThrow(
      /binary\.txt|bad\.conllu/,
    );
    await writeFile(path("texts", "bad.conllu"), unlabelled(conllu()).repeat(2));
    await writeFile(path("texts", "binary.txt"), "The cat sat.");
    await writeFile(path("texts", "latin.txt"), "The dog ran.");
    const mended = await tagCorpus(path("texts"), options("out"));
    expect(mended.failed).toEqual([]);
    expect(mended.found).toBeGreaterThan(5);
    await tagCorpus(path("texts"), options("fresh"));
    expect(await contents("out")).toEqual(await contents("fresh"));
  });

  it("writes Parquet with the places of words, which another reader reads", async () => {
    await tagCorpus(path("texts"), options("out", { format: "parquet" }));
    const { merged, lacking } = await mergeCorpus(path("out"));
    expect([merged, lacking]).toEqual([[], []]);
    const rows: Record<string, unknown>[] = [];
    for (const name of await shardNames("out")) {
      rows.push(...(await parquetReadObjects({ file: await asyncBufferFromFile(path("out", name)) })));
    }
    const prose = await text("texts", "a.txt");
    const ofText = rows.filter(({ input }) => input === "a.txt");
    expect(ofText).toHaveLength(3 * sentences.join(" ").split(" ").length);
    for (const { form, start, end, sentence_start, sentence_end, line } of ofText) {
      expect(prose.slice(Number(start), Number(end))).toBe(form);
      expect(sentences).toContain(prose.slice(Number(sentence_start), Number(sentence_end)));
      expect(line ?? null).toBeNull();
    }
    expect(ofText[1]).toMatchObject({ shard: 1, sentence: 1, word: 2, form: "cat", label: "NOUN" });
    const given = rows.filter(({ input }) => input === "c.conllu");
    const lines = conllu().split("\n");
    for (const { form, label, line } of given) {
      expect(lines[Number(line) - 1]).toMatch(
        new RegExp(`\\t${form === "." ? "\\." : form}\\t_\\t${label}\\t`),
      );
    }
    expect(given.length).toBeGreaterThan(20);
  });

  it("compresses shards with gzip, whose streams one behind the other are one", async () => {
    await tagCorpus(path("texts"), options("packed", { compress: "gzip", format: "text" }));
    await tagCorpus(path("texts"), options("plain", { format: "text" }));
    await mergeCorpus(path("packed"));
    await mergeCorpus(path("plain"));
    const packed = gunzipSync(await readFile(path("packed", "merged", "a.txt.gz"))).toString();
    expect(packed).toBe(await text("plain", "merged", "a.txt"));
    expect(packed).toContain("cat/NOUN");
  });

  it("compresses shards with zstd where Node has it, and says which has it otherwise", async () => {
    const zlib = (await import("node:zlib")) as { zstdDecompressSync?: (bytes: Uint8Array) => Uint8Array };
    const packing = tagCorpus(path("texts"), options("packed", { compress: "zstd", format: "text" }));
    if (zlib.zstdDecompressSync === undefined) {
      await expect(packing).rejects.toThrow("expected Node 22.15 or later");
      return;
    }
    await packing;
    await mergeCorpus(path("packed"));
    const unpacked = zlib.zstdDecompressSync(await readFile(path("packed", "merged", "a.txt.zst")));
    expect(Buffer.from(unpacked).toString()).toContain("cat/NOUN");
  });

  it("says how fast all workers are and how long it will take", async () => {
    const events: ProgressEvent[] = [];
    await tagCorpus(
      path("texts"),
      options("out", { workers: 2, onProgress: (event: ProgressEvent) => events.push(event) }),
    );
    const paces = events.flatMap(({ pace }) => pace ?? []);
    const last = paces.at(-1);
    expect(last?.shardsDone).toBe(last?.shards);
    expect(last?.secondsLeft).toBe(0);
    expect(paces[0]?.secondsLeft).toBeGreaterThan(0);
    expect(last?.wordsPerSecond).toBeGreaterThan(0);
    const { done, total } = events.findLast(({ pace }) => pace !== undefined) as ProgressEvent;
    expect(done).toBe(total);
  });

  it.each([1, 2])(
    "ends on the signal with %i at once, leaves nothing half-written, and goes on",
    async (workers) => {
      const controller = new AbortController();
      const reason = new Error("enough");
      const running = tagCorpus(
        path("texts"),
        options("out", {
          workers,
          signal: controller.signal,
          onProgress: ({ pace }: ProgressEvent) => {
            if ((pace?.shardsDone ?? 0) >= 3) controller.abort(reason);
          },
        }),
      );
      await expect(running).rejects.toBe(reason);
      const names = await readdir(path("out"));
      expect(names.filter((name) => name.startsWith("."))).toEqual([]);
      const { shards, lacking } = await mergeCorpus(path("out"));
      expect(lacking.length).toBeGreaterThan(0);
      expect(lacking.length).toBeLessThan(shards);
      const { found } = await tagCorpus(path("texts"), options("out"));
      expect(found).toBeGreaterThanOrEqual(3);
      await tagCorpus(path("texts"), options("fresh"));
      expect(await contents("out")).toEqual(await contents("fresh"));
    },
  );

  it("refuses plans and manifests that lead out of the folder or are none", async () => {
    await tagCorpus(path("texts"), options("out"));
    await cp(path("out"), path("copy"), { recursive: true });
    const plan = JSON.parse(await text("out", "plan.json")) as { shards: { name: string }[] };
    (plan.shards[0] as { name: string }).name = "../../escape.conllu";
    await writeFile(path("out", "plan.json"), JSON.stringify(plan));
    await expect(mergeCorpus(path("out"))).rejects.toThrow("shards.0.name");
    await writeFile(path("out", "plan.json"), '{"schema":1,');
    await expect(mergeCorpus(path("out"))).rejects.toThrow("expected a plan of shards");
    await expect(mergeCorpus(path("texts"))).rejects.toThrow("got no plan in it");
    const other = JSON.parse(await text("copy", "plan.json")) as { inputs: { name: string }[] };
    (other.inputs[0] as { name: string }).name = "../a.txt";
    await writeFile(path("copy", "plan.json"), JSON.stringify(other));
    await expect(mergeCorpus(path("copy"))).rejects.toThrow("expected a path below the folder");
  });
});
