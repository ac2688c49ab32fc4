import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { columns } from "../tiny-corpus.js";
import { nerLabels, writeTinyDirectory } from "../tiny-tagger.js";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await writeTinyDirectory(shop.path("helpers"), {
    task: "ner",
    labels: [...nerLabels, "[CLS]", "[SEP]", "X"],
  });
  await writeTinyDirectory(shop.path("suffix"), { task: "ner", labels: nerLabels.map(suffixed) });
  await writeTinyDirectory(shop.path("dishes"), { task: "ner", labels: dishes });
  // One entity more than the model finds, so that F1 is neither 0 nor 1.
  await shop.write(
    "gold.iob2",
    gold((label) => label),
  );
  await shop.write("gold.suffix", gold(suffixed));
  await shop.write(
    "gold.io",
    gold((label) => label.slice(-3)),
  );
  await shop.write(
    "gold.dishes",
    gold((label) => dishes[nerLabels.indexOf(label)] as string),
  );
});
afterAll(() => shop.remove());

/** A command line as a list. */
const words = (line: string): string[] => line.split(" ");

const suffixed = (label: string): string => (label === "O" ? "O" : `${label.slice(2)}_${label[0]}`);

/** Types alone, of which none is well known. */
const dishes = ["O", "soup", "B-never", "cake", "I-never", "roll", "never"];

/** The corpus with each label changed, and "cat" an entity that the model does not find. */
function gold(change: (label: string) => string): string {
  return columns("entity", undefined, (word, label) => change(word === "cat" ? "B-PER" : label));
}

const evaluated = (model: string, test: string, ...more: string[]) =>
  shop.json(["eval", "--model", model, "--test", test, ...more]);

describe("eval", () => {
  test.concurrent("helper labels leave an entity model what it is, and are said", async () => {
    const plain = await evaluated("ner", "gold.iob2");
    const result = await evaluated("helpers", "gold.iob2");
    expect(plain).toMatchObject({ task: "ner", metric: "f1", scheme: "IOB2", labelling: { foreign: [] } });
    expect(plain.value).toBeGreaterThan(0.5);
    expect(plain.value).toBeLessThan(1);
    expect(result).toMatchObject({
      value: plain.value,
      labelling: { task: "ner", scheme: "IOB2", foreign: ["[CLS]", "[SEP]", "X"] },
    });
    const { stdout } = await shop.nasty(["eval", "--model", "helpers", "--test", "gold.iob2"]);
    expect(stdout).toContain("task: entities in IOB2 labels (labels such as B-PER are IOB2");
    expect(stdout).toContain("labels that IOB2 does not know count as outside: [CLS], [SEP], X");
  });

  test.concurrent("--task pos judges words, and says that it was asked for", async () => {
    const result = await evaluated("helpers", "gold.iob2", "--task", "pos");
    expect(result).toMatchObject({ task: "pos", metric: "accuracy", scheme: null });
    expect(result.labelling.reason).toBe("as asked for");
    expect(result.value).toBeGreaterThan(0.9);
  });

  test.concurrent("gold labels of another scheme or spelling are compared as entities", async () => {
    const { value } = await evaluated("ner", "gold.iob2");
    for (const [model, test] of [
      ["ner", "gold.suffix"],
      ["suffix", "gold.iob2"],
      ["ner", "gold.io"],
    ] as const) {
      expect((await evaluated(model, test)).value).toBe(value);
    }
    const { stdout } = await shop.nasty(["eval", "--model", "ner", "--test", "gold.io"]);
    expect(stdout).toContain("gold labels are in IO (");
    expect(stdout).toContain("compared as entities, not as labels");
  });

  test("a scheme that nobody has is refused, and one for parts of speech too", async () => {
    const args = ["eval", "--model", "ner", "--test", "gold.iob2", "--scheme"];
    expect(await shop.refused(3, [...args, "bioes"])).toContain(
      "gold.iob2: scheme: expected labels of BIOES",
    );
    expect(await shop.refused(3, [...args, "iob2", "--task", "pos"])).toContain(
      "nasty: ner: scheme: expected none for parts of speech",
    );
    expect(await shop.refused(2, [...args, "abc"])).toContain("Expected iob1, iob2, bioes");
  });
});

describe("a model whose labels are types alone", () => {
  const recipe = (scheme: string) =>
    `model: dishes\ntask: ner\nscheme: ${scheme}\ndata: { test: gold.dishes }\nsteps:\n  - quantize: { mode: dynamic }\n  - eval: {}\n`;

  test.concurrent("is one of words, in doubt, unless it is told otherwise", async () => {
    const { labelling } = await evaluated("dishes", "gold.dishes");
    expect(labelling).toMatchObject({ task: "pos", ambiguous: true });
  });

  test.concurrent("is judged by entities with --scheme io, in every command, and stays one in what is written", async () => {
    const io = ["--scheme", "io"];
    const before = await evaluated("dishes", "gold.dishes", ...io);
    expect(before).toMatchObject({ task: "ner", scheme: "IO", labelling: { reason: "as asked for" } });
    const { gate, output } = await shop.json([
      ...words(
        "quantize --model dishes --validation gold.dishes --target-accuracy-loss 0.5 --output dishes.onnx",
      ),
      ...io,
    ]);
    expect(gate).toMatchObject({ metric: "f1", original: before.value, labelling: { scheme: "IO" } });
    expect(output.path).toContain("dishes.onnx");
    expect(await evaluated("dishes.onnx", "gold.dishes")).toMatchObject({
      value: before.value,
      labelling: { scheme: "IO", reason: "the model file says so" },
    });
    const compared = await shop.json([
      ...words("quantize eval --original dishes --quantized dishes.onnx --test gold.dishes"),
      ...io,
    ]);
    expect(compared).toMatchObject({ task: "ner", scheme: "IO", original: { metric: "f1" } });
    await shop.json(["export", "--model", "dishes.onnx", "--output", "dishes-out"]);
    expect(JSON.parse(await readFile(shop.path("dishes-out", "config.json"), "utf8")).nasty).toEqual({
      task: "ner",
      scheme: "IO",
    });
    expect((await evaluated("dishes-out", "gold.dishes")).scheme).toBe("IO");
    const pruned = await shop.json([
      ...words("prune --model dishes --sparsity 0.1 --validation gold.dishes --output p.onnx"),
      ...io,
    ]);
    expect(pruned.gate).toMatchObject({ metric: "f1", labelling: { scheme: "IO" } });
    const timed = await shop.json([
      ...words("benchmark --model dishes --environment development --samples 4"),
      ...io,
    ]);
    expect(timed.models[0]).toMatchObject({ task: "ner", labelling: { scheme: "IO" } });
  });

  test.concurrent("is one of entities throughout a recipe that says so", async () => {
    await shop.write("io.yaml", recipe("io"));
    const report = JSON.stringify(await shop.json(["pipeline", "io.yaml", "--output", "io-run"]));
    expect(report).toContain('"scheme":"IO","reason":"as asked for"');
    expect(report).toContain('"metric":"f1"');
    expect(report).not.toContain('"metric":"accuracy"');
  });

  test("is refused in a recipe that names no scheme", async () => {
    await shop.write("odd.yaml", recipe("abc"));
    expect(await shop.refused(3, ["pipeline", "odd.yaml", "--dry-run"])).toContain(
      "odd.yaml: line 3, column 9: scheme: expected iob1, iob2, bioes",
    );
  });
});

describe("tag", () => {
  const input = "Ada Lovelace ran in Paris.\n";

  test.concurrent("writes entities of any spelling into MISC, none into UPOS", async () => {
    const { stdout } = await shop.nasty(["tag", "--model", "suffix", "--format", "conllu"], { input });
    expect(stdout).toMatch(/^1\tAda\t_\t_\t.*\tNER=PER_B$/m);
    expect(stdout).toMatch(/^3\tran\t_\t_\t.*\t_$/m);
  });

  test.concurrent("writes helper labels as outside, and says so", async () => {
    await writeTinyDirectory(shop.path("sep"), {
      task: "ner",
      labels: ["O", "B-PER", "[SEP]", "B-LOC", "I-LOC", "B-ORG", "I-ORG"],
    });
    const { stdout, stderr } = await shop.nasty(["tag", "--model", "sep"], { input });
    expect(stdout).toBe("Ada/B-PER Lovelace/O ran/O in/O Paris/B-LOC ./O\n");
    expect(stderr).toContain("count as outside: [SEP]");
    const conllu = await shop.nasty(["tag", "--model", "sep", "--format", "conllu"], { input });
    expect(conllu.stdout).toMatch(/^2\tLovelace\t_\t_\t.*\t_$/m);
  });

  test("refuses a scheme that the labels have not", async () => {
    await shop.write("ada.txt", input);
    expect(await shop.refused(3, ["tag", "--model", "ner", "--scheme", "bioes", "ada.txt"])).toContain(
      "nasty: ner: labels: expected those of BIOES, such as E-PER or S-PER beside B-PER, got O, B-PER",
    );
    expect(await shop.refused(3, ["tag", "--model", "pos", "--task", "ner", "ada.txt"])).toContain(
      "nasty: pos: labels: expected those of entities, such as B-PER, I-PER and O, got DET, NOUN",
    );
  });
});

describe("score", () => {
  const score = async (right: string, judged: string, ...more: string[]) => {
    const name = `${right}|${judged}`.replace(/\W/g, "_");
    const file = (labels: string) =>
      labels
        .split(" ")
        .map((label, i) => `w${i}\t${label}`)
        .join("\n");
    await shop.write(`${name}.gold`, file(right));
    await shop.write(`${name}.system`, file(judged));
    return shop.json(["score", "--gold", `${name}.gold`, "--system", `${name}.system`, ...more]);
  };

  test.concurrent.each([
    ["O B I B O", "O B O B O", "untyped", 1 / 2],
    ["B-PER I-PER O", "B-PER [SEP] O", "IOB2", 0],
    ["PER PER O O", "PER PER O O", "IO", 1],
    ["B-PER E-PER O S-LOC", "B_PER I_PER O B_LOC", "BIOES", 1],
    ["PER-B PER-M PER-E O", "I-PER I-PER I-PER O", "BMES", 1],
    ["B I O B", "B-PER I-PER O B-LOC", "untyped", 1],
    ["O soup O", "O B-soup O", "IO", 1],
  ])("%s against %s: %s", async (right, judged, scheme, value) => {
    expect(await score(right, judged)).toMatchObject({ task: "ner", metric: "f1", scheme, value });
  });

  test.concurrent("types alone are entities where it is asked", async () => {
    expect(await score("soup soup O cake", "soup O O cake")).toMatchObject({ task: "pos", value: 3 / 4 });
    expect(await score("soup soup O cake", "soup O O cake", "--scheme", "io")).toMatchObject({
      task: "ner",
      value: 1 / 2,
    });
  });

  test.concurrent("tags of words stay tags of words", async () => {
    expect(await score("B_ADJ I_ADJ B_NOUN", "B_ADJ I_ADJ B_VERB")).toMatchObject({
      task: "pos",
      value: 2 / 3,
    });
    expect(await score("-LRB- WP$ NN X", "-LRB- WP$ NN NN")).toMatchObject({ task: "pos", value: 3 / 4 });
  });
});

test.each([
  ["a tab", "B-P\tER", '"B-P\\tER"'],
  ["a control character", "B-PER\u0085", '"B-PER\\u0085"'],
  ["nothing", "", "an empty one"],
])("a model with a label that holds %s is refused", async (name, label, got) => {
  const folder = name.replace(/ /g, "-");
  await writeTinyDirectory(shop.path(folder), { task: "ner", labels: ["O", label, ...nerLabels.slice(2)] });
  for (const command of [
    ["quantize", "--output", `${folder}.onnx`],
    ["eval", "--test", "gold.iob2"],
    ["inspect"],
  ]) {
    expect(await shop.refused(3, [...command, "--model", folder])).toContain(
      `config.json: label 1: expected text without control characters, got ${got}; give it another name`,
    );
  }
});

test.concurrent("training reads entities of any scheme and learns IOB2", async () => {
  const result = await shop.json(
    words(
      "train --task ner --architecture cnn --train gold.suffix --validation gold.iob2 --output learned.onnx --epochs 1",
    ),
  );
  expect(result).toMatchObject({ task: "ner", scheme: "IOB2", metric: "f1" });
  const { tagger } = await shop.json(["inspect", "--model", "learned.onnx"]);
  expect(tagger).toMatchObject({ labels: nerLabels.toSorted(byType), labelling: { scheme: "IOB2" } });
});

/** `O`, then types in order, `B-` before `I-`. */
const byType = (a: string, b: string): number =>
  a === "O" ? -1 : b === "O" ? 1 : a.slice(2).localeCompare(b.slice(2)) || a.localeCompare(b);
