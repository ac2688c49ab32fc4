import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Json, openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await shop.json(["quantize", "--model", "pos", "--output", "int8.onnx"]);
  await shop.write("some.txt", "The cat sat .\n");
});
afterAll(() => shop.remove());

/** What is below a folder, by its path from there; folders of other tests may go while this looks. */
async function filesBelow(folder: string, at = ""): Promise<string[]> {
  const entries = await readdir(join(folder, at), { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    },
  );
  const found = entries.map(async (entry) => {
    const path = join(at, entry.name);
    return entry.isDirectory() ? [path, ...(await filesBelow(folder, path))] : [path];
  });
  return (await Promise.all(found)).flat();
}

const fault = fileURLToPath(new URL("../runtime-fault.mjs", import.meta.url));
const faulty = (kind: "turned" | "not finite") => ({
  env: { NODE_OPTIONS: `--import ${fault}`, NASTY_TEST_FAULT: kind },
});

const prune = ["prune", "--model", "pos"];
const training = ["--train", "test.conllu", "--validation", "test.conllu", "--epochs", "1"];
const commands: [name: string, args: readonly string[], inputs: string, least: number][] = [
  ["prune elements", [...prune, "--sparsity", "0.2"], "made", 0.9999],
  [
    "prune neurons",
    [...prune, "--structured", "--sparsity", "0.25", "--data", "test.conllu"],
    "text",
    0.9999,
  ],
  ["prune rows", [...prune, "--vocabulary", "some.txt"], "made", 0.9999],
  ["prune and train", [...prune, "--sparsity", "0.2", ...training], "text", 0.9999],
  ["train first", [...prune, "--sparsity", "0.2", ...training, "--schedule", "one-shot"], "text", 0.9999],
  ["fine-tune", ["fine-tune", "--model", "pos", "--task", "pos", ...training], "text", 0.9999],
  ["train", ["train", "--task", "pos", "--architecture", "cnn", ...training], "text", 0.9999],
  ["distill", ["distill", "--teacher", "pos", ...training, "--student", "cnn"], "text", 0.9999],
];

describe.concurrent("what is written is run beside what it was made of", () => {
  test.each(commands)("%s", async (name, args, inputs, least) => {
    const folder = name.replaceAll(" ", "-");
    const { drift } = await shop.json([...args, "--output", folder]);
    expect(drift).toMatchObject({ inputs, minCosine: least });
    expect(drift.outputs).toEqual([{ name: expect.any(String), cosine: expect.any(Number), finite: true }]);
    expect(drift.outputs[0].cosine).toBeGreaterThan(0.999999);
  });

  test("export, each variant beside its source", async () => {
    const { drift }: Json = await shop.json(
      "export --model pos --model int8.onnx --output exported".split(" "),
    );
    expect(drift).toMatchObject({
      fp32: { inputs: "made", minCosine: 0.999, outputs: [{ name: "logits", finite: true }] },
      q8: { inputs: "made", minCosine: 0.9, outputs: [{ name: "logits", finite: true }] },
    });
    expect(drift.fp32.outputs[0].cosine).toBeGreaterThan(0.999999);
    expect(drift.q8.outputs[0].cosine).toBeGreaterThan(0.99);
  });
});

describe.concurrent("a file that computes something else is refused, and nothing is left of it", () => {
  const likeness = (name: string): string => {
    if (name.startsWith("prune")) return "the original without what was pruned";
    return name === "export" ? "the source" : "the trained model";
  };
  const exported: (typeof commands)[number] = ["export", ["export", "--model", "pos"], "made", 0.999];
  const judged = [...commands.filter(([name]) => name !== "train first"), exported];
  const kinds = [
    ["turned", /got -?\d\.\d+/],
    ["not finite", /got values that are not finite/],
  ] as const;
  test.each(judged.flatMap((command) => kinds.map((kind) => [...command, ...kind] as const)))(
    "%s",
    async (name, args, _, least, kind, got) => {
      const output = `never-${name}-${kind}`.replaceAll(" ", "-");
      const { code, stdout, stderr } = await shop.nasty([...args, "--output", output], faulty(kind));
      expect({ code, stdout }, stderr).toEqual({ code: 4, stdout: "" });
      const message = stderr.split("\n").find((line) => line.startsWith("nasty: ")) ?? "";
      expect(message).toContain(`cosine similarity to ${likeness(name)}: expected ${least} or more, got`);
      expect(message).toMatch(got);
      expect(message).toMatch(/or lower --min-cosine if the difference is acceptable; nothing was written$/);
      const left = (await filesBelow(shop.folder)).filter((file) => file.includes(output));
      // What was trained for hours is not thrown away: the same command goes on from there.
      expect(left.filter((file) => !file.endsWith("checkpoint") && file !== output)).toEqual([]);
      if (left.includes(output)) expect(left).toContain(`${output}/checkpoint`);
    },
    30_000,
  );

  test("unless that is meant; not finite is never meant", async () => {
    const args = ["export", "--model", "pos", "--min-cosine", "-1", "--output"];
    const { drift } = await shop.json([...args, "meant"], faulty("turned"));
    expect(drift.fp32.outputs[0].cosine).toBeLessThan(0.999);
    expect(await shop.nasty([...args, "never"], faulty("not finite"))).toMatchObject({ code: 4, stdout: "" });
  });
});

test("people read a line of it", async () => {
  const line = async (...args: string[]): Promise<string | undefined> =>
    (await shop.nasty(args)).stdout.split("\n").find((text) => text.includes("outputs like"));
  expect(await line(...prune, "--sparsity", "0.2", "--output", "p.onnx")).toBe(
    "  outputs like the original's without what was pruned: cosine 1.0000 or more on made inputs",
  );
  expect(await line("export", "--model", "pos", "--output", "shown")).toBe(
    "  outputs like those of the source of fp32: cosine 1.0000 or more on made inputs",
  );
});
