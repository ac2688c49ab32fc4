import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openTagger } from "@nasty/taggers/node";
import type { Tagger } from "@nasty/taggers";
import { posFastInt8 } from "@nasty/model-en";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { GateError } from "../../../src/errors.js";
import { checkModule } from "../../../src/exporting/module/check-module.js";

let folder: string;
let tagger: Tagger;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nasty-check-"));
  tagger = await openTagger(fileURLToPath(posFastInt8), { engine: "portable" });
});
afterAll(async () => {
  await tagger.close();
  await rm(folder, { recursive: true });
});

async function checked(code: string) {
  const path = join(folder, `${Math.random()}.mjs`);
  await writeFile(path, code);
  return checkModule(path, { tagger, name: "pos.mjs" }).catch((error: unknown) => error);
}

it("refuses a module with another label", async () => {
  const refused = await checked(`
    export const tag = async (text) => [{ words: [{ form: text, label: "X" }] }];
    export const tagSentences = async (sentences) => sentences.map((words) => words.map(() => "X"));`);
  expect(refused).toBeInstanceOf(GateError);
  expect((refused as Error).message).toMatch(/^export: pos\.mjs: tag: expected the labels of the model/);
});

it("refuses a module that does not run, or ends before it answers", async () => {
  const broken = await checked("export const tag = ;");
  expect(broken).toBeInstanceOf(GateError);
  expect((broken as Error).message).toContain("the written module: expected to run, got:");
  const throwing = await checked('export const tag = () => { throw new Error("no model"); };');
  expect((throwing as Error).message).toContain("no model");
  expect(await checked("process.exit(0);")).toBeInstanceOf(GateError);
});
