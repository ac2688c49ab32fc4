// Noise of each layer in sound files, and whether a layer whose scales are doubled is found:
//   node bench/layer-noise.mjs MODEL... [--sentences 1]
// MODEL is a float tagger: a file or a Hugging Face directory. It is quantized in every mode; then the scales of each
// weight are doubled, one weight at a time. Exit code 1 if a sound file is refused or a doubled scale is not found.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { layerNoise } from "../packages/compression/dist/index.js";
import { copyMessage, tensorFromProto, tensorToProto } from "../packages/formats/dist/onnx/index.js";
import { quantize } from "../packages/workflow/dist/index.js";
import { sampleTextPath } from "../packages/workflow/dist/models/default-model.js";
import { loadModel } from "../packages/workflow/dist/models/load-model.js";
import { brokenLayer } from "../packages/workflow/dist/verification/broken-layer.js";
import { originalEngine } from "../packages/workflow/dist/verification/engine.js";
import { verificationSample } from "../packages/workflow/dist/verification/sample.js";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { sentences: { type: "string", default: "1" } },
});
if (positionals.length === 0) {
  console.error("usage: node bench/layer-noise.mjs MODEL... [--sentences N]");
  process.exit(2);
}
const modes = {
  dynamic: { mode: "dynamic" },
  static: { calibration: sampleTextPath() },
  int4: { mode: "int4" },
  "weight-only": { mode: "weight-only" },
};
const work = mkdtempSync(join(tmpdir(), "nasty-layer-noise-"));

for (const path of positionals) {
  const { model: original } = await loadModel(path);
  for (const [mode, options] of Object.entries(modes)) {
    const output = join(work, `${mode}.onnx`);
    await quantize(path, { ...options, output });
    const loaded = await loadModel(output);
    const samples = Number(values.sentences);
    const [[batch]] = (await verificationSample(loaded, { samples })).candidates;
    const check = { original, engine: originalEngine, batch, threads: 1 };
    const sound = await brokenLayer({ ...check, model: loaded.model });
    const scales = loaded.model.graph.initializer.filter(({ name }) => weightOf(name, original));
    const missed = [];
    for (const scale of scales) {
      const model = doubled(loaded.model, scale);
      const broken = await brokenLayer({ ...check, model });
      if (broken?.weights.includes(weightOf(scale.name, original)) !== true) missed.push(scale.name);
    }
    if (sound !== undefined || missed.length > 0) process.exitCode = 1;
    // Without the order of hidden units that int8 gives them: the layers that keep theirs.
    const noise = (await layerNoise(original, loaded.model, batch)).map((layer) => layer.noise);
    const below = noise.filter((one) => one < 1);
    console.log(
      JSON.stringify({
        model: path,
        mode,
        layers: noise.length,
        leastSqnrDb: Number((-10 * Math.log10(Math.max(...below))).toFixed(1)),
        refused: sound?.node ?? null,
        doubled: scales.length,
        found: scales.length - missed.length,
        missed,
      }),
    );
  }
}
rmSync(work, { recursive: true });

/** The weight that a tensor holds the scales of. */
function weightOf(name, { graph }) {
  const isScale = name.endsWith("_scale");
  return graph.initializer.find((one) => isScale && name.startsWith(`${one.name}_`))?.name;
}

function doubled(model, scale) {
  const tensor = tensorFromProto(scale);
  // Scales of 16 bits: one more in the exponent.
  const twice = tensor.dtype === "float16" ? (bits) => bits + 0x400 : (value) => 2 * value;
  const changed = tensorToProto({ ...tensor, data: tensor.data.map(twice) }, scale.name);
  const initializer = model.graph.initializer.map((one) => (one === scale ? changed : one));
  return copyMessage(model, { graph: copyMessage(model.graph, { initializer }) });
}
