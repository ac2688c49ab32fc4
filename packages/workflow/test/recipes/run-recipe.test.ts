import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runRecipe } from "../../src/index.js";
import { openTinyFolder, type TinyFolder } from "../tiny-folder.js";

let folder: TinyFolder;
let recipe: string;
beforeAll(async () => {
  folder = await openTinyFolder();
  recipe = folder.path("small.yaml");
  const steps = "  - prune: { sparsity: 0.1 }\n  - quantize: { mode: dynamic }\n  - compress\n";
  await writeFile(recipe, `model: pos\ndata: { test: test.conllu }\nsteps:\n${steps}`);
});
afterAll(() => folder.remove());

it("runs from code without step functions, and goes on with what an earlier run did", async () => {
  const output = folder.path("out");
  const planned = await runRecipe.plan(recipe, { output });
  expect(planned.steps.map(({ kind }) => kind)).toEqual(["prune", "quantize", "compress"]);
  const first = await runRecipe(recipe, { output });
  expect(first.passed).toBe(true);
  expect(first.stages.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
    "start start",
    "prune done",
    "quantize done",
    "compress done",
  ]);
  const notes: string[] = [];
  const again = await runRecipe(recipe, { output, resume: true, onNote: (note) => void notes.push(note) });
  expect(again.stages.slice(1).map(({ status }) => status)).toEqual(["skipped", "skipped", "skipped"]);
  expect(again.stages.map(({ output: made }) => made?.sha256)).toEqual(
    first.stages.map(({ output: made }) => made?.sha256),
  );
  expect(notes).toContain("step 1 of 3: prune: done by an earlier run, unchanged");
}, 60_000);

it("refuses options that exclude each other, and a run to go on with that is not there", async () => {
  await expect(runRecipe(recipe, { resume: true, fresh: true })).rejects.toThrow(
    "pipeline: resume: expected no fresh beside it",
  );
  await expect(runRecipe(recipe, { resume: true, output: folder.path("none") })).rejects.toThrow(
    "expected an earlier run (pipeline.json), got none",
  );
});
