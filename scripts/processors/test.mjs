// Numeric tests on processors that are not this one: kernels, forms and quantization-aware training by vitest, the bits
// of the portable engine, labels of taggers side by side.
//   node scripts/processors/test.mjs
// Where qemu-x86_64 is missing it says so, and compares with WebAssembly alone.
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { emulator, runEmulated } from "./emulator.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
process.chdir(root);

const numericTests = [
  "packages/core/test/safe-pairs.test.ts",
  "packages/runtime/test/core-arithmetic.test.ts",
  "packages/runtime/test/audit",
  "packages/compression/test/safe-pairs.test.ts",
  "packages/compression/test/modes",
  "packages/compression/test/accuracy",
  "packages/compression/test/qat",
  "packages/training/test/fake-quantization",
  "packages/tagger-training/test/quantization-aware",
];
const comparedSentences = "25";
const defaultModels = [
  "pos-en-int8.onnx",
  "pos-en-fast-int8.onnx.gz",
  "pos-en-tiny-int8.onnx.gz",
  "ner-en-int8.onnx.gz",
];

const missing = emulator();
if (missing === undefined) {
  for (const processor of ["Haswell", "Nehalem"]) {
    console.log(`\n-- numeric tests on an emulated ${processor}`);
    // Threads, not processes: a child process would run on the real processor. Files of one thread share what they
    // import: loading it for each of them took a quarter of the time.
    runEmulated(processor, [
      "node_modules/vitest/vitest.mjs",
      "run",
      "--pool=threads",
      "--no-isolate",
      "--reporter=dot",
      ...numericTests,
    ]);
  }
} else {
  console.log(`-- numeric tests on emulated processors: NOT RUN: ${missing}`);
}

const node = (args) => {
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
};
console.log("\n-- bits of the portable engine");
node(["scripts/processors/portable.mjs"]);

console.log("\n-- labels of small taggers and of the default models");
const folder = await mkdtemp(join(tmpdir(), "nasty-small-models-"));
try {
  node(["scripts/processors/small-models.mjs", folder]);
  const models = JSON.parse(await readFile(join(folder, "models.json"), "utf8"));
  node([
    "scripts/processors/compare-labels.mjs",
    "--text",
    "packages/model-en/sample/sample-en.conllu",
    "--sentences",
    comparedSentences,
    ...models,
    ...defaultModels.map((name) => join("packages/model-en/models", name)),
  ]);
} finally {
  await rm(folder, { recursive: true, force: true });
}
