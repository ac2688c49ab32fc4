import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openWorkshop, type Json, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

/** A copy of the tiny tagger's directory whose `config.json` differs. */
async function variant(name: string, change: (config: Json) => Json): Promise<string> {
  await cp(shop.path("pos"), shop.path(name), { recursive: true });
  const path = shop.path(name, "config.json");
  const config = change(JSON.parse(await readFile(path, "utf8")));
  await writeFile(path, JSON.stringify(config));
  return name;
}

const tagged = async (model: string) => {
  const { code, stdout, stderr } = await shop.nasty(["tag", "--model", model], { input: "The cat sat." });
  expect(code, stderr).toBe(0);
  return { stdout, stderr };
};
const withoutLabels = ({ id2label: _, label2id: __, ...rest }: Json): Json => rest;

describe("Hugging Face directories that transformers loads", () => {
  test("default label2id, numeric labels, only num_labels, no model_type: tagged, exported with their ids, noted", async () => {
    const right = await tagged("pos");
    const labels = Object.values(JSON.parse(await readFile(shop.path("pos/config.json"), "utf8")).id2label);
    const numbers = Object.fromEntries(labels.map((_, id) => [id, id]));
    const cases: [
      name: string,
      change: (config: Json) => Json,
      written: unknown[],
      note: RegExp | undefined,
    ][] = [
      [
        "default",
        (config) => ({ ...config, label2id: { LABEL_0: 0, LABEL_1: 1 } }),
        labels,
        /label2id is not/,
      ],
      [
        "numeric",
        (config) => ({ ...config, id2label: numbers, label2id: numbers }),
        labels.map((_, id) => `${id}`),
        undefined,
      ],
      [
        "counted",
        (config) => ({ ...withoutLabels(config), num_labels: labels.length }),
        labels.map((_, id) => `LABEL_${id}`),
        /called LABEL_0/,
      ],
      [
        "unnamed",
        ({ model_type: _, ...config }) => ({ ...config, architectures: ["BertForTokenClassification"] }),
        labels,
        /taken as bert/,
      ],
    ];
    for (const [name, change, written, note] of cases) {
      await variant(name, change);
      const { stdout, stderr } = await tagged(name);
      const expected = right.stdout.replace(/\/(\S+)/g, (_, label) => `/${written[labels.indexOf(label)]}`);
      expect(stdout, name).toBe(expected);
      if (note === undefined) expect(stderr).toBe("");
      else expect(stderr).toMatch(note);
      const { notes } = await shop.json(["inspect", "--model", name]);
      expect(notes).toHaveLength(note === undefined ? 0 : 1);

      await shop.json(["export", "--model", name, "--output", `${name}-out`]);
      const config = JSON.parse(await readFile(shop.path(`${name}-out/config.json`), "utf8"));
      expect(config).toMatchObject({ model_type: "bert", id2label: Object.fromEntries(written.entries()) });
      expect(config.label2id).toEqual(Object.fromEntries(written.map((label, id) => [label, id])));
      expect((await tagged(`${name}-out`)).stdout).toBe(expected);
    }
  });

  test("fine-tuning one without a family and without pad_token writes what transformers.js loads", async () => {
    await variant("bare", ({ model_type: _, ...config }) => ({
      ...config,
      architectures: ["BertForTokenClassification"],
    }));
    await rm(shop.path("bare/tokenizer_config.json"));
    const training = ["--train", "test.conllu", "--validation", "test.conllu", "--epochs", "1"];
    await shop.json(["fine-tune", "--model", "bare", "--task", "pos", ...training, "--output", "tuned"]);
    const read = async (name: string) => JSON.parse(await readFile(shop.path("tuned", name), "utf8"));
    expect(await read("config.json")).toMatchObject({ model_type: "bert" });
    expect(await read("tokenizer_config.json")).toMatchObject({ pad_token: "[PAD]" });
    expect(Object.keys((await read("config.json")).id2label)).toEqual(
      Object.values((await read("config.json")).label2id).map(String),
    );
  });

  test("without a tokenizer: whatever needs no text works, what needs it says what is missing", async () => {
    await variant("graph", (config) => config);
    await rm(shop.path("graph/tokenizer.json"));
    const model = ["--model", "graph"];
    expect((await shop.json(["inspect", ...model])).tagger).toBeNull();
    expect((await shop.json(["inspect", ...model])).notes.join()).toContain(
      "expected tokenizer.json or vocab.txt",
    );
    expect((await shop.json(["quantize", "estimate", ...model])).parameters).toBeGreaterThan(0);
    await shop.json(["quantize", ...model, "--mode", "dynamic", "--output", "graph-int8.onnx"]);
    await shop.json(["prune", ...model, "--sparsity", "0.3", "--output", "graph-pruned.onnx"]);
    await shop.json(["compress", ...model, "--output", "graph.onnx.gz"]);
    const missing = /tokenizer: expected tokenizer\.json or vocab\.txt \(WordPiece\), got neither/;
    expect(await shop.refused(3, ["tag", ...model], { input: "The cat." })).toMatch(missing);
    expect(await shop.refused(3, ["eval", ...model, "--test", "test.conllu"])).toMatch(missing);
    const calibrated = ["quantize", ...model, "--mode", "static", "--calibration", "test.conllu"];
    expect(await shop.refused(3, [...calibrated, "--output", "x.onnx"])).toMatch(missing);
  });

  test("a tokenizer with an id of 2^28 - 1 is refused, and named", async () => {
    const name = await variant("sparse", ({ vocab_size: _, ...config }) => config);
    const path = shop.path(name, "tokenizer.json");
    const tokenizer = JSON.parse(await readFile(path, "utf8"));
    tokenizer.model.vocab.far = 2 ** 28 - 1;
    await writeFile(path, JSON.stringify(tokenizer));
    const args = ["quantize", "--model", name, "--mode", "dynamic", "--output", "x.onnx"];
    expect(await shop.refused(3, args)).toMatch(
      /id of "far": expected an integer from 0 to 16777215, got 268435455/,
    );
  });
});
