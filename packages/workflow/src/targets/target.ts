import type { ModelProto } from "@nasty/formats/onnx";
import { ModelGraph } from "@nasty/graph";
import { InputError } from "../errors.js";
import { type EngineVersion, lacksOf, lackText } from "./engine-faults.js";
import { formsOf } from "./forms.js";
import { withTablesOfInt4 } from "./rows-of-int4.js";

/**
 * The oldest engines of a major version of transformers.js, as its releases pin them: 3.1.0 and 4.0.0. (3.0 came with
 * ONNX Runtime 1.19, which has no quantized tables of 4 bits in any form.)
 */
export const targets = {
  "transformers.js@3": [
    { name: "native", version: "1.20.1" },
    { name: "wasm", version: "1.20.1" },
  ],
  "transformers.js@4": [
    { name: "native", version: "1.24.3" },
    { name: "wasm", version: "1.25.0" },
  ],
} as const satisfies Readonly<Record<string, readonly EngineVersion[]>>;

export type TargetName = keyof typeof targets;

/**
 * The model in forms that all engines of a target run: tables of 4 bits as tensors of uint4 where bytes are not read,
 * an older IR version where nothing of a newer one is used.
 *
 * @param path of the model, for messages
 * @returns the model itself where every engine runs it as it is
 * @throws InputError for what cannot be written otherwise, naming node and form
 */
export function modelFor(target: TargetName, model: ModelProto, path: string): ModelProto {
  let written = model;
  for (const engine of targets[target]) {
    for (const { found, fault } of lacksOf(formsOf(written), engine)) {
      if (found.form === "GatherBlockQuantized over bytes") written = withTablesOfInt4(written);
      if (found.form === "IR version") written = withIrVersion(written, (fault.from ?? 0) - 1);
    }
    const [lack] = lacksOf(formsOf(written), engine);
    if (lack === undefined) continue;
    throw new InputError(
      `export: ${path}: ${lackText(lack, engine)}, ${target} does not: expected forms that it runs; ${adviceFor(lack.found.form)}, or leave --target out`,
    );
  }
  return written;
}

function adviceFor(form: string): string {
  if (form === "opset" || form === "IR version") return "export the original with an older operator set";
  return "quantize the float model with --mode dynamic or int4";
}

/** Newer IR versions only add what a file may hold: the number may be lower where the operator set is old too. */
function withIrVersion(model: ModelProto, version: number): ModelProto {
  const opened = ModelGraph.from(model);
  opened.setIrVersion(version);
  return opened.toModel();
}
