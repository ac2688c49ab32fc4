import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { columns, conllu } from "../tiny-corpus.js";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await shop.write(
    "binary.conllu",
    Uint8Array.from({ length: 400 }, (_, i) => (i * 97) % 256),
  );
  await shop.write("latin1.conllu", Buffer.from(conllu(["The cat sat ."]).replace("cat", "chât"), "latin1"));
});
afterAll(() => shop.remove());

const evaluated = (test: string, model = "pos") =>
  shop.refused(3, ["eval", "--model", model, "--test", test]);
const calibrated = (...sources: string[]) =>
  shop.refused(
    3,
    ["quantize", "--model", "pos", "--output", "out.onnx"].concat(
      sources.flatMap((source) => ["--calibration", source]),
    ),
  );

describe("labelled text", () => {
  test("an empty file, one of comments only, a missing one", async () => {
    await shop.write("empty.conllu", "");
    await shop.write("comments.conllu", "# nothing\n\n");
    expect(await evaluated("empty.conllu")).toMatch(/empty\.conllu: sentences: expected at least 1, got 0; /);
    expect(await evaluated("comments.conllu")).toMatch(/comments\.conllu: /);
    expect(await evaluated("none.conllu")).toMatch(/none\.conllu.*; check the path/);
  });

  test("a row with too few columns: its line", async () => {
    await shop.write("short.conllu", "# text = a\n1\ta\t_\tDET\t_\t_\t_\t_\t_\n\n");
    expect(await evaluated("short.conllu")).toMatch(
      /short\.conllu.* line 2: .*expected 10, got 9; correct this line/,
    );
  });

  test("a label that the model does not know: file, line and the labels it knows", async () => {
    await shop.write("label.conllu", conllu().replace("\tDET\t", "\tARTICLE\t"));
    const message = await evaluated("label.conllu");
    expect(message).toMatch(/label\.conllu line 3: label of "The": expected one of DET, NOUN.*got "ARTICLE"/);
    await shop.write("label.iob2", columns().replace("B-PER", "B-ANIMAL"));
    expect(await evaluated("label.iob2", "ner")).toMatch(/label\.iob2 line \d+: .*got "B-ANIMAL"/);
  });

  test("a word without label", async () => {
    await shop.write("unlabelled.conllu", conllu().replace("\tDET\t", "\t_\t"));
    expect(await evaluated("unlabelled.conllu")).toMatch(
      /line 3: UPOS: expected a label for "The", got none/,
    );
  });

  test("a file of the other task, either way, and plain text", async () => {
    expect(await evaluated("test.iob2")).toMatch(/test\.iob2 line 1: .*expected one of DET.*got "O"/);
    await shop.write("tags.conllu", conllu().replaceAll(/NER=\S+/g, "_"));
    expect(await evaluated("tags.conllu", "ner")).toMatch(/MISC column: expected entity labels/);
    await shop.write("plain.txt", "The cat sat.\n");
    expect(await evaluated("plain.txt")).toContain("expected labelled text");
  });

  test("binary data, and bytes that are not UTF-8", async () => {
    expect(await evaluated("binary.conllu")).toMatch(/binary\.conllu: .*binary data/);
    expect(await evaluated("latin1.conllu")).toMatch(/latin1\.conllu.*UTF-8/);
    const tagged = (name: string) => shop.refused(3, ["tag", "--model", "pos", name]);
    expect(await tagged("binary.conllu")).toContain("binary data");
    await shop.write("latin1.txt", Buffer.from("The châtelaine sat.", "latin1"));
    expect(await tagged("latin1.txt")).toMatch(/latin1\.txt: bytes 0 to \d+: encoding: expected UTF-8/);
  });

  test("two files to score with different words or numbers of sentences: where", async () => {
    const scored = (system: string) =>
      shop.refused(3, ["score", "--gold", "test.conllu", "--system", system]);
    await shop.write("words.conllu", conllu().replaceAll("cat", "bat"));
    expect(await scored("words.conllu")).toMatch(/words\.conllu line 4: .*expected "cat", got "bat"/);
    await shop.write("fewer.conllu", conllu(["The cat sat on a big house ."]));
    expect(await scored("fewer.conllu")).toMatch(/sentence 2: expected a sentence in the system file too/);
    await shop.write("more.conllu", `${conllu()}${conllu(["a red house ."])}`);
    expect(await scored("more.conllu")).toMatch(/expected 8 as in the gold file, got more/);
  });
});

describe("calibration text", () => {
  test("empty, missing, fewer sentences than asked for", async () => {
    await shop.write("empty.txt", "\n\n");
    expect(await calibrated("empty.txt")).toMatch(/empty\.txt: sentences: expected at least 1, got 0/);
    expect(await calibrated("none.txt")).toMatch(/none\.txt/);
    expect(await calibrated("test.conllu:9")).toMatch(/expected 9, got 8; ask for fewer \(test\.conllu:8\)/);
    expect(await calibrated("test.conllu:2", "test.iob2:50")).toMatch(/test\.iob2: .*expected 50, got 8/);
    expect(await calibrated("binary.conllu")).toMatch(/binary data/);
    expect(await calibrated("latin1.conllu")).toMatch(/UTF-8/);
  });

  test("tables that are none, or of another model", async () => {
    const from = (table: string) =>
      shop.refused(3, ["quantize", "--model", "pos", "--calibration-table", table, "--output", "out.onnx"]);
    await shop.write("broken.json", "{");
    expect(await from("broken.json")).toMatch(/--calibration-table broken\.json: .*JSON.*; /);
    expect(await from("missing.json")).toMatch(/missing\.json: no such file/);
    await shop.write(
      "other.json",
      JSON.stringify({ schemaVersion: 1, method: "minmax", parameters: {}, samples: 1, tensors: {} }),
    );
    expect(await from("other.json")).toMatch(/activation "\w+": range: expected one.*; measure a table/);
  });
});
