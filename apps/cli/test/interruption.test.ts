import { readdir } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import { conllu, sentences } from "./tiny-corpus.js";
import { openWorkshop, startBinary, type Workshop } from "./workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await shop.write("out.onnx", "an older file");
  // Long enough that the gate is still tagging when the signal comes.
  await shop.write("long.conllu", conllu(Array.from({ length: 1000 }, () => sentences).flat()));
});
afterAll(() => shop.remove());

/** Starts, waits for a line of progress, sends the signal, and waits for the end. */
async function interrupted(signal: NodeJS.Signals, line: string): Promise<number | null> {
  const args = ["quantize", "--model", "pos", "--output", "out.onnx"];
  const gate = ["--target-accuracy-loss", "0.1", "--validation", "long.conllu"];
  const child = startBinary(shop.folder, [...args, ...gate]);
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
    if (stderr.includes(line)) child.kill(signal);
  });
  // A shell shows the same number whether a process ends itself after a signal or the system ends it.
  return new Promise((resolve) =>
    child.on("close", (code, ended) => resolve(code ?? (ended && 128 + constants.signals[ended]))),
  );
}

test.each([
  ["SIGINT", "with the written file", 130],
  ["SIGTERM", "with the original", 143],
] as const)("%s leaves nothing behind and the old output as it was", async (signal, line, code) => {
  const before = await readdir(shop.folder);
  const temporary = async () => (await readdir(tmpdir())).filter((name) => name.startsWith(".nasty-audit."));
  const audits = await temporary();
  expect(await interrupted(signal, line)).toBe(code);
  expect(await readdir(shop.folder)).toEqual(before);
  expect((await temporary()).filter((name) => !audits.includes(name))).toEqual([]);
  expect((await shop.bytes("out.onnx")).toString()).toBe("an older file");
});
