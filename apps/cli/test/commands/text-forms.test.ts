import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { columns, conllu } from "../tiny-corpus.js";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await shop.write("columns.txt", columns());
  await shop.write("conllu.txt", conllu());
  await shop.write("columns.conllu.gz", gzipSync(columns()));
  await shop.write("prose.txt", "The cat sat on a big house. Ada Lovelace ran in Paris.\n");
});
afterAll(() => shop.remove());

const evaluated = (model: string, test: string, ...args: string[]) =>
  shop.json(["eval", "--model", model, "--test", test, ...args]);
const input = (path: string, form: string, by = "content") => ({ path, form, by });

describe("what a text is goes by its content, not by its name", () => {
  test("eval: columns named .txt, or .conllu.gz, are columns", async () => {
    const { value, inputs } = await evaluated("ner", "test.iob2");
    expect(inputs).toEqual([input("test.iob2", "columns")]);
    for (const name of ["columns.txt", "columns.conllu.gz"]) {
      expect(await evaluated("ner", name)).toMatchObject({ value, inputs: [input(name, "columns")] });
    }
    const said = await shop.nasty(["eval", "--model", "ner", "--test", "columns.txt"]);
    expect(said.stderr).toMatch(/^read columns\.txt as columns of words and labels \(by its content\)$/m);
  });

  test("eval: CoNLL-U named .txt, CoNLL-U Plus, a comment block at the end", async () => {
    const { value, sentences } = await evaluated("pos", "test.conllu");
    expect(await evaluated("pos", "conllu.txt")).toMatchObject({
      value,
      inputs: [input("conllu.txt", "conllu")],
    });
    await shop.write("comments.txt", `${conllu()}# end of file\n\n`);
    expect(await evaluated("pos", "comments.txt")).toMatchObject({ value, sentences });
    const rows = conllu()
      .split("\n")
      .map((line) => (line.startsWith("#") ? line : line.split("\t").slice(0, 4).join("\t")))
      .join("\n");
    await shop.write("plus", `# global.columns = ID FORM LEMMA UPOS\n${rows}`);
    expect(await evaluated("pos", "plus")).toMatchObject({
      value,
      sentences,
      inputs: [input("plus", "conllu")],
    });
  });

  test("eval: entities in MISC under other keys, and in a column of their own", async () => {
    const { value } = await evaluated("ner", "test.conllu");
    for (const key of ["ner", "Entity", "NE", "ner_tag"]) {
      await shop.write(`key-${key}`, conllu().replaceAll("NER=", `${key}=`));
      expect((await evaluated("ner", `key-${key}`)).value).toBe(value);
    }
    const rows = conllu()
      .split("\n")
      .map((line) => {
        if (line === "" || line.startsWith("#")) return line;
        const fields = line.split("\t");
        return `${fields[1]}\t${/NER=(\S+)/.exec(line)?.[1] ?? "O"}`;
      })
      .join("\n");
    await shop.write("entity-column", `# global.columns = FORM NER\n${rows}`);
    expect((await evaluated("ner", "entity-column")).value).toBe(value);
    await shop.write("brackets.conllu", conllu().replaceAll(/NER=\S+/g, "Entity=(1-person-x)"));
    expect(await shop.refused(3, ["eval", "--model", "ner", "--test", "brackets.conllu"])).toMatch(
      /MISC column: expected entity labels/,
    );
  });

  test("eval: the column that holds labels of the task", async () => {
    await shop.write(
      "four.txt",
      "The DET B-NP O\ncat NOUN I-NP O\nsat VERB B-VP O\n\nParis PROPN B-NP B-LOC\n\n",
    );
    expect(
      (await evaluated("pos", "four.txt")).perLabel.map(({ label }: { label: string }) => label),
    ).toContain("DET");
    expect((await evaluated("ner", "four.txt")).tokens).toBe(4);
  });

  test("score: labelled .txt, and types without a prefix", async () => {
    await shop.write("io.conll", "Ada PER\nLovelace PER\nlives O\nhere O\n\n");
    const same = await shop.json(["score", "--gold", "columns.txt", "--system", "test.iob2"]);
    expect(same).toMatchObject({
      value: 1,
      inputs: [input("columns.txt", "columns"), input("test.iob2", "columns")],
    });
    expect(await shop.json(["score", "--gold", "io.conll", "--system", "io.conll"])).toMatchObject({
      value: 1,
      tokens: 4,
      inputs: [input("io.conll", "columns")],
    });
  });

  test("quantize: calibration and validation in columns named .txt", async () => {
    const made = await shop.json(
      ["quantize", "--model", "ner", "--output", "calibrated.onnx", "--calibration", "columns.txt"].concat([
        "--validation",
        "columns.txt",
        "--target-accuracy-loss",
        "1",
      ]),
    );
    expect(made.inputs).toEqual([input("columns.txt", "columns")]);
    const from = async (name: string, output: string) => {
      const args = [
        "quantize",
        "--model",
        "pos",
        "--output",
        output,
        "--calibration",
        name,
        "--mode",
        "static",
      ];
      return (await shop.json(args)).output.sha256;
    };
    // The same words whatever they are written in; taken as prose, the labels would be words too.
    expect(await from("columns.txt", "a.onnx")).toBe(await from("test.iob2", "b.onnx"));
  });

  test("benchmark: words of columns, not their labels", async () => {
    const of = (data: string) =>
      shop.json([
        "benchmark",
        "--model",
        "pos",
        "--data",
        data,
        "--environment",
        "development",
        "--samples",
        "8",
      ]);
    expect((await of("columns.txt")).inputs).toEqual([input("columns.txt", "columns")]);
    expect((await of("prose.txt")).inputs).toEqual([input("prose.txt", "plain")]);
  });

  test("--input-format: for one file or for all; what was said is in the result", async () => {
    await shop.write("labels.tsv", "The\tn1\ncat\tn2\n");
    // An open table: columns where labels are wanted, unless it is said that it has none.
    const evaluating = ["eval", "--model", "pos", "--test", "labels.tsv"];
    expect(await shop.refused(3, evaluating)).toMatch(/labels\.tsv line 1: label of "The": expected one of/);
    expect(await shop.refused(3, [...evaluating, "--input-format", "plain"])).toMatch(
      /labels\.tsv: form: expected labelled text .*got plain text; give a labelled file, or say --input-format columns/,
    );
    const { inputs } = await evaluated("ner", "columns.txt", "--input-format", "columns.txt=columns");
    expect(inputs).toEqual([input("columns.txt", "columns", "option")]);
  });
});
