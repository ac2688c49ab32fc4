import { fileURLToPath } from "node:url";
import { nerInt8 } from "@nasty/model-en";
import { expect, test } from "vitest";
import { openModel } from "../../src/index.js";

test("a model gives the entities of a text, as it labels its words", async () => {
  await using model = await openModel(fileURLToPath(nerInt8));
  const text = "Barack Obama visited Berlin.";
  const found = [];
  for await (const entity of model.entities(text)) found.push(entity);
  expect(found).toMatchObject([
    { type: "PER", text: "Barack Obama", start: 0, end: 12 },
    { type: "LOC", text: "Berlin", start: 21, end: 27 },
  ]);
  for (const { score } of found) {
    expect(score).toBeGreaterThan(0.5);
    expect(score).toBeLessThanOrEqual(1);
  }
  for await (const { words } of model.tagText(text)) {
    const labels = words.filter(({ label }) => label !== "O").map(({ label }) => label);
    expect(found.flatMap((entity) => entity.words.map(({ label }) => label))).toEqual(labels);
  }
});
