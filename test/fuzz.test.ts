import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const script = fileURLToPath(new URL("../scripts/fuzz.mjs", import.meta.url));

function fuzz(...args: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ["--expose-gc", script, ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, said: stdout + stderr });
    });
  });
}

test("a few thousand damaged inputs are typed refusals, and none hangs", async () => {
  const kinds = ["onnx", "metadata", "tokenizer", "config", "conllu", "columns", "recipe", "safetensors"];
  const { code, said } = await fuzz(
    "--cases",
    String(400 * kinds.length),
    "--seed",
    "7",
    "--kind",
    kinds.join(),
  );
  expect(said).not.toMatch(/ like --kind/);
  expect(code, said).toBe(0);
  // Some cases are read and go on to the steps: a fuzzer of refusals alone would find nothing behind the readers.
  for (const [, kind, refused] of said.matchAll(/^(\w+): 400 cases, (\d+) refused/gm)) {
    expect(Number(refused), kind).toBeLessThan(400);
  }
  expect([...said.matchAll(/: 400 cases/g)]).toHaveLength(kinds.length);
});

test("a fault is found, named by its case, and found again by that name", async () => {
  const whole = await fuzz("--kind", "planted", "--cases", "500");
  expect(whole.code).toBe(1);
  const number = /--seed 1 --case (\d+): TypeError/.exec(whole.said)?.[1] ?? "none";
  expect((await fuzz("--kind", "planted", "--case", number)).said).toContain("1 faults");
  expect((await fuzz("--kind", "planted", "--case", String(Number(number) + 1))).code).toBe(0);
});

test("a seed gives the same inputs again, another seed others", async () => {
  const inputs = async (seed: string) =>
    /inputs (\w+)/.exec((await fuzz("--kind", "safetensors", "--cases", "50", "--seed", seed)).said)?.[1];
  expect(await inputs("3")).toBe(await inputs("3"));
  expect(await inputs("4")).not.toBe(await inputs("3"));
});
