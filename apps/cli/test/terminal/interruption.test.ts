import { cp, readdir, readFile, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { conllu, sentences } from "../tiny-corpus.js";
import { openWorkshop, startBinary, type Workshop } from "../workshop.js";

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

test("a signal ends a command that does not come back to its event loop", async () => {
  const busy = "setTimeout(() => { process.stderr.write('busy\\n'); for (;;); }, 300)";
  const env = {
    NODE_OPTIONS: `--import ${JSON.stringify(`data:text/javascript,${encodeURIComponent(busy)}`)}`,
  };
  // Reads standard input, which does not end.
  const child = startBinary(shop.folder, ["tag", "--model", "pos"], env);
  child.stderr.on("data", (chunk) => String(chunk).includes("busy") && child.kill("SIGTERM"));
  const ended = await new Promise((resolve) => child.on("close", (_, signal) => resolve(signal)));
  expect(ended).toBe("SIGTERM");
});

test("a power cut at any step of putting a directory in place leaves the old one or the new one, and no trace after the next run", async () => {
  const preload = new URL("../../../../scripts/kill-at.mjs", import.meta.url).href;
  const contents = async (name: string): Promise<string> => {
    const entries = await readdir(shop.path(name), { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const bytes = await Promise.all(files.toSorted().map((file) => readFile(file, "base64")));
    return bytes.join();
  };
  const exported = (model: string, output: string, killAt?: string) =>
    shop.nasty(["export", "--model", model, "--output", output], {
      env: killAt === undefined ? {} : { KILL_AT: killAt, NODE_OPTIONS: `--import ${preload}` },
    });
  await shop.json(["prune", "--model", "pos", "--sparsity", "0.5", "--output", "pruned.onnx"]);
  await exported("pos", "old");
  await cp(shop.path("old"), shop.path("new"), { recursive: true });
  const { stderr } = await exported("pruned.onnx", "new", "0");
  const calls = Number(/calls: (\d+)/.exec(stderr)?.[1]);
  const [before, after] = [await contents("old"), await contents("new")];
  expect(before).not.toBe(after);
  const found = new Set<string>();
  // The last calls: the links, both renames, the removal of the old folder.
  for (const killAt of [6, 5, 4, 3, 2, 1].map((back) => `${calls - back}+`)) {
    await rm(shop.path("out"), { recursive: true, force: true });
    await cp(shop.path("old"), shop.path("out"), { recursive: true });
    await exported("pruned.onnx", "out", killAt);
    const { code } = await shop.nasty(["tag", "--model", "out"], { input: "The cat sat." });
    expect(code, killAt).toBe(0);
    const now = await contents("out");
    expect([before, after], killAt).toContain(now);
    found.add(now);
    expect((await exported("pruned.onnx", "out")).code).toBe(0);
    expect((await readdir(shop.folder)).filter((name) => name.startsWith("."))).toEqual([]);
  }
  expect(found.size).toBe(2);
});
