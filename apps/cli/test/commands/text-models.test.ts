import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
// @boundaries-ignore the random models are those of the workflow's tests
import { writeRandomEncoder } from "../../../../packages/workflow/test/random-models.js";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await writeRandomEncoder(shop.path("encoder"), { safetensors: true });
  const rows = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? "a good film\tyes" : "the bad book\tno"));
  await shop.write("films.tsv", `text\tlabel\n${rows.join("\n")}\n`);
});
afterAll(() => shop.remove());

const learnFrom = (file: string): string[] =>
  `fine-tune --model encoder --task classification --train ${file}`.split(" ");
const learn = learnFrom("films.tsv");
const quick = ["--validation", "films.tsv", "--epochs", "6", "--learning-rate", "0.01"];

test("fine-tunes a classifier of texts, and says how well it classifies", async () => {
  const tuned = await shop.json([...learn, ...quick, "--output", "films"]);
  expect(tuned).toMatchObject({
    task: "classification",
    labels: ["no", "yes"],
    metric: "accuracy",
    value: 1,
  });
  expect(tuned.macroF1).toBe(1);
  const config = JSON.parse(await readFile(shop.path("films/config.json"), "utf8")) as object;
  expect(config).toMatchObject({ architectures: ["BertForSequenceClassification"] });
  const { code, stdout } = await shop.nasty([...learn, ...quick, "--output", "films"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/ {2}accuracy on films\.tsv: 100\.00%, macro F1 100\.00% \(epoch \d\)/);
  const { history } = await shop.json(["inspect", "--model", "films/onnx/model.onnx"]);
  expect(JSON.stringify(history)).toContain('"task":"classification"');
});

test("a line that cannot be learned from and an option that says nothing are refused", async () => {
  await shop.write("bad.tsv", "a good film\tyes\nthe bad book\n");
  expect(await shop.refused(3, [...learnFrom("bad.tsv"), "--output", "none"])).toContain(
    "bad.tsv: line 2: columns: expected 2, got 1",
  );
  expect(await shop.refused(2, [...learn, "--output", "none", "--qat"])).toContain(
    "--qat: expected --task pos",
  );
});
