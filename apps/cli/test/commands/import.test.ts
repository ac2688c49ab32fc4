import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { posLabels } from "../tiny-tagger.js";
import { wordIndex, writeTinyLayersModel } from "../tiny-layers-model.js";
import { type Json, openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await writeTinyLayersModel(shop.path("tfjs"));
  // Stands at the output of every refused run, and must be untouched after each.
  await shop.write("out.onnx", "an older file");
});
afterAll(() => shop.remove());

const pos = (folder: string): string[] => [
  "import",
  "--from",
  "tfjs",
  folder,
  "--task",
  "pos",
  "--words",
  `${folder}/words.json`,
  "--labels",
  `${folder}/labels.json`,
];

const words = (line: string): string[] => line.split(" ");

describe("nasty import", () => {
  it("writes a tagger that eval takes, and says what it holds", async () => {
    const result = await shop.json([...pos("tfjs"), "--output", "pos.onnx"]);
    expect(result).toMatchObject({
      from: "tfjs",
      model: "tfjs",
      ignoresPadding: true,
      inputs: [{ name: "ids", dtype: "int32", shape: ["batch", "length"] }],
      outputs: [{ name: "tags", activation: "softmax" }],
      tagger: { kind: "sequence", task: "pos", labels: posLabels, words: 32, padding: "masked" },
    });
    expect(result.output.bytes).toBe((await shop.bytes("pos.onnx")).length);
    expect(result.layers.map(({ className }: Json) => className)).toContain("Bidirectional");
    expect((await shop.json(["eval", "--model", "pos.onnx", "--test", "test.conllu"])).value).toBe(1);
  });

  it("the file is quantized and tagged with like any other", async () => {
    await shop.json([...pos("tfjs"), "--output", "to-quantize.onnx"]);
    const quantized = await shop.json(
      words("quantize --model to-quantize.onnx --mode dynamic --output q.onnx"),
    );
    expect([...new Set(quantized.tensors.map(({ op }: Json) => op))].toSorted()).toEqual([
      "Gather",
      "LSTM",
      "MatMul",
    ]);
    const tagged = await shop.nasty(["tag", "--model", "q.onnx"], { input: "The cat sat on Acme.\n" });
    expect(tagged.stdout).toBe("The/DET cat/NOUN sat/VERB on/ADP Acme/PROPN ./PUNCT\n");
    const inspected = await shop.json(["inspect", "--model", "q.onnx"]);
    expect(inspected.history.map(({ step }: Json) => step)).toEqual(["import", "quantize"]);
    expect(inspected.history[0].inputSha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("benchmark measures it", async () => {
    await shop.json([...pos("tfjs"), "--output", "to-measure.onnx"]);
    const measured = await shop.json(
      words("benchmark --model to-measure.onnx --environment development --data test.conllu --samples 5"),
    );
    expect(measured.models).toHaveLength(1);
  });

  it("gives the same bytes for the same input", async () => {
    await shop.json([...pos("tfjs"), "--output", "again.onnx"]);
    await shop.json([...pos("tfjs"), "--output", "once-more.onnx"]);
    expect(await shop.bytes("again.onnx")).toEqual(await shop.bytes("once-more.onnx"));
  });

  it("writes the network alone without a word list, and says what is missing", async () => {
    const { code, stdout } = await shop.nasty(["import", "--from", "tfjs", "tfjs", "--output", "plain.onnx"]);
    expect(code).toBe(0);
    expect(stdout).toContain("input ids: int32 [batch, length]");
    expect(stdout).toContain("no tagger: give --task, --words and --labels");
    expect((await shop.json(["inspect", "--model", "plain.onnx"])).tagger).toBeNull();
    expect(await shop.refused(3, ["eval", "--model", "plain.onnx", "--test", "test.conllu"])).toContain(
      "nasty.tagger",
    );
  });

  it("entities", async () => {
    await writeTinyLayersModel(shop.path("ner-tfjs"), { task: "ner" });
    const args = pos("ner-tfjs").map((arg) => (arg === "pos" ? "ner" : arg));
    await shop.json([...args, "--output", "ner.onnx"]);
    const { metric, value } = await shop.json(["eval", "--model", "ner.onnx", "--test", "test.iob2"]);
    expect([metric, value]).toEqual(["f1", 1]);
  });
});

describe("options of the tagger", () => {
  const tag = async (file: string, input: string): Promise<string> =>
    (await shop.nasty(["tag", "--model", file], { input })).stdout.trim();

  it("--lowercase", async () => {
    // "the" has the id of "The", and "The" none.
    await shop.write(
      "tfjs/lower.json",
      JSON.stringify(
        Object.fromEntries(
          Object.entries(wordIndex).map(([word, id]) => [word === "The" ? "the" : word, id]),
        ),
      ),
    );
    const args = pos("tfjs").map((arg) => (arg === "tfjs/words.json" ? "tfjs/lower.json" : arg));
    await shop.json([...args, "--output", "case.onnx"]);
    await shop.json([...args, "--lowercase", "--output", "lower.onnx"]);
    expect(await tag("lower.onnx", "THE cat")).toBe("THE/DET cat/NOUN");
    expect(await tag("case.onnx", "THE cat")).not.toBe("THE/DET cat/NOUN");
  });

  it("--unknown-id, and a list of words instead of an object", async () => {
    await shop.write(
      "list.json",
      JSON.stringify(Object.keys(wordIndex).map((word) => (word.startsWith("<") ? "" : word))),
    );
    const args = pos("tfjs").map((arg) => (arg === "tfjs/words.json" ? "list.json" : arg));
    expect(await shop.refused(2, [...args, "--output", "out.onnx"])).toContain(
      "import: --unknown-id: expected the id of words that are not in list.json",
    );
    await shop.json([...args, "--unknown-id", String(wordIndex["sat"]), "--output", "unknown.onnx"]);
    expect(await tag("unknown.onnx", "The zebra")).toBe("The/DET zebra/VERB");
  });

  it("--padding-side, --padding-id and --max-length of a model that reads what fills its rows", async () => {
    await writeTinyLayersModel(shop.path("fixed"), { length: 6, maskZero: false });
    const args = pos("fixed");
    expect(await shop.refused(2, [...args, "--output", "out.onnx"])).toContain(
      "import: --padding-side: expected left or right (the model takes rows of 6 ids and reads what fills them), got none",
    );
    for (const side of ["left", "right"]) {
      const { tagger } = await shop.json([
        ...args,
        "--padding-side",
        side,
        "--padding-id",
        "1",
        "--output",
        `${side}.onnx`,
      ]);
      expect(tagger.padding).toBe(side);
      expect((await shop.json(["eval", "--model", `${side}.onnx`, "--test", "test.conllu"])).value).toBe(1);
    }
    const settings = (file: string) => readFile(shop.path(file), "latin1");
    expect(await settings("left.onnx")).toContain('"paddingId":1,"padding":"left"');
    expect(
      await shop.refused(3, [...args, "--padding-side", "left", "--max-length", "5", "--output", "out.onnx"]),
    ).toContain("input ids: length: expected 5 (the longest row of the tagger), got 6");
    await shop.json([...pos("tfjs"), "--max-length", "3", "--output", "short.onnx"]);
    expect(await settings("short.onnx")).toContain('"maxLength":3');
    expect((await shop.json(["eval", "--model", "short.onnx", "--test", "test.conllu"])).value).toBe(1);
  });
});

describe("wrong usage", () => {
  test.each<[string, string[], string]>([
    ["no framework", ["import", "tfjs", "--output", "out.onnx"], "--from"],
    ["another framework", ["import", "--from", "keras", "tfjs", "--output", "out.onnx"], "keras"],
    ["no output", ["import", "--from", "tfjs", "tfjs"], "--output"],
    ["no folder", ["import", "--from", "tfjs", "--output", "out.onnx"], "dir"],
    [
      "a task alone",
      ["import", "--from", "tfjs", "tfjs", "--task", "pos", "--output", "out.onnx"],
      "import: --task: expected --words and --labels with it",
    ],
    [
      "an option of the tagger alone",
      ["import", "--from", "tfjs", "tfjs", "--lowercase", "--output", "out.onnx"],
      "import: --lowercase: expected --task and --words and --labels with it",
    ],
  ])("%s", async (_, args, message) => {
    expect(await shop.refused(2, args)).toContain(message);
  });

  test.each(["tfjs/model.json", "tfjs/weights.bin", "tfjs/words.json"])("%s as the output", async (file) => {
    expect(await shop.refused(2, [...pos("tfjs"), "--output", file])).toContain(
      `import: --output ${file}: expected another file than those it is made from, got `,
    );
  });

  it("options that the model has no use for", async () => {
    const args = [...pos("tfjs"), "--output", "out.onnx"];
    expect(await shop.refused(2, [...args, "--padding-side", "left"])).toContain(
      "expected none (the model ignores padding)",
    );
    expect(await shop.refused(2, [...args, "--padding-id", "3"])).toContain(
      "expected 0 (the model masks it), got 3",
    );
    expect(await shop.refused(2, [...args, "--unknown-id", "0"])).toContain("would skip unknown words");
    await writeTinyLayersModel(shop.path("free"), { maskZero: false });
    expect(
      await shop.refused(2, [...pos("free"), "--padding-side", "left", "--output", "out.onnx"]),
    ).toContain("expected --max-length with it");
  });
});

describe("bad input leaves what was there", () => {
  const refused = (folder: string, ...more: string[]) =>
    shop.refused(3, [...pos(folder), "--output", "out.onnx", ...more]);

  test.each<[string, Parameters<typeof writeTinyLayersModel>[1], string]>([
    [
      "a layer that is not imported",
      { recurrent: "ConvLSTM2D" },
      'layer "both" (Bidirectional): layer: expected LSTM',
    ],
    [
      "an option that is not imported",
      { activation: "cosine" },
      'layer "tags" (Dense): activation: expected',
    ],
    [
      "a NaN",
      { nan: true },
      'weight "words/embeddings": value 5: expected a finite number, got NaN; train the model again',
    ],
  ])("%s", async (_, options, message) => {
    await writeTinyLayersModel(shop.path("bad"), options);
    expect(await refused("bad")).toContain(message);
  });

  test("shards that are cut off, missing or elsewhere", async () => {
    await writeTinyLayersModel(shop.path("cut"));
    const file = shop.path("cut", "weights.bin");
    const whole = await readFile(file);
    await writeFile(file, whole.subarray(4));
    expect(await refused("cut")).toMatch(
      /shards weights\.bin: expected \d+ bytes \(weightsManifest\), got \d+; the shards are damaged/,
    );
    await writeFile(file, "");
    expect(await refused("cut")).toContain("got 0");
    const json = (await readFile(shop.path("cut", "model.json"), "utf8")).replace(
      "weights.bin",
      "../out.onnx",
    );
    await writeFile(shop.path("cut", "model.json"), json);
    expect(await refused("cut")).toContain('shard "../out.onnx": expected a path inside of the folder');
    await writeFile(shop.path("cut", "model.json"), json.replace("../out.onnx", "none.bin"));
    expect(await refused("cut")).toContain('shard "none.bin": expected a file, got nothing; check the path');
    await writeFile(shop.path("cut", "model.json"), "{");
    expect(await refused("cut")).toContain("model.json: expected JSON");
  });

  test("no folder, and an output that cannot be", async () => {
    expect(await refused("none")).toContain(
      "none: expected a folder with a model.json, got nothing; check the path",
    );
    expect(await shop.refused(3, [...pos("tfjs"), "--output", "nowhere/out.onnx"])).toContain(
      "--output nowhere/out.onnx",
    );
  });

  test("word lists and labels that do not fit", async () => {
    const swap = async (file: string, content: string): Promise<string> => {
      await shop.write("swapped.json", content);
      const args = pos("tfjs").map((arg) => (arg === `tfjs/${file}` ? "swapped.json" : arg));
      return shop.refused(3, [...args, "--output", "out.onnx"]);
    };
    expect(await swap("words.json", "{")).toContain("import: swapped.json: content: expected JSON");
    expect(await swap("words.json", '{"<UNK>":1,"a":1}')).toContain("id 1: expected one word");
    expect(await swap("words.json", '{"<UNK>":1,"a":99}')).toContain(
      "words: ids: expected an embedding of at least 100 rows, got 32 rows",
    );
    expect(await swap("words.json", '["the","<UNK>"]')).toContain(
      'id 0: expected no word (the model masks it), got "the"',
    );
    expect(await swap("labels.json", '["A","B"]')).toContain("2 labels");
    expect(await swap("labels.json", '{"A":1}')).toContain(
      "expected one for each id from 0 to 1, got none for 0",
    );
    const missing = pos("tfjs").map((arg) => (arg === "tfjs/words.json" ? "nowhere.json" : arg));
    expect(await shop.refused(3, [...missing, "--output", "out.onnx"])).toContain(
      "nowhere.json: no such file",
    );
  });
});
