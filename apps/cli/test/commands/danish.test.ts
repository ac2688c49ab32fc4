import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { getMetadata } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWorkshop, type Workshop } from "../workshop.js";

const folder = new URL("../../../../packages/model-da/", import.meta.url);
const model = fileURLToPath(new URL("models/ner-da-int8.onnx.gz", folder));

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

test("the Danish model finds entities in raw text that is cut as Danish", async () => {
  const { stdout, code } = await shop.nasty(["tag", "--model", model], {
    input: "Den 3. maj rejste Kjeld Christensen til København, bl.a. for at besøge SID-huset.",
  });
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^Den\/O 3\.\/O maj\/O rejste\/O Kjeld\/B-PER Christensen\/I-PER til\/O København\/B-LOC /,
  );
  expect(stdout).toContain(" bl.a./O ");
  expect(stdout).toMatch(/ SID-huset\/\S+ \.\/O\n$/);
});

test("it records language, licence, data and recipe, and its card names the file", async () => {
  const file = await readModelFile(model);
  const entry = (key: string): unknown => JSON.parse(getMetadata(file, key) ?? "null");
  expect(entry("nasty.tagger")).toMatchObject({ task: "ner", language: "da" });
  expect(entry("nasty.data")).toEqual([expect.stringContaining("UNER_Danish-DDT")]);
  expect(entry("nasty.training")).toMatchObject({
    task: "ner",
    language: "da",
    sources: ["da_ddt-ud-train.iob2"],
  });
  expect(getMetadata(file, "nasty.licence")).toBe("CC-BY-SA-4.0");
  const card = await readFile(fileURLToPath(new URL("cards/ner-da-int8.md", folder)), "utf8");
  expect(card).toContain("models/ner-da-int8.onnx.gz");
});

test("no pair of its weights overflows on any processor", async () => {
  const { integerProducts } = await shop.json(["inspect", "--model", model]);
  expect(integerProducts.products).toBeGreaterThan(0);
  expect(integerProducts.unsafePairs).toBe(0);
});
