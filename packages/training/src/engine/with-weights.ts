import { copyMessage, type ModelProto, tensorToProto } from "@nasty/formats/onnx";
import { TrainingError } from "../training-error.js";

/**
 * A model with other values in some of its float32 initializers; the rest is shared with the model given.
 *
 * @throws TrainingError `unknown-weight` for a name that is no initializer, `checkpoint-mismatch` for a wrong length.
 */
export function withWeights(model: ModelProto, weights: ReadonlyMap<string, Float32Array>): ModelProto {
  const missing = new Set(weights.keys());
  const initializer = (model.graph?.initializer ?? []).map((tensor) => {
    const values = weights.get(tensor.name);
    if (values === undefined) return tensor;
    missing.delete(tensor.name);
    const shape = tensor.dims.map(Number);
    const expected = shape.reduce((a, b) => a * b, 1);
    if (values.length !== expected) {
      throw new TrainingError(
        "checkpoint-mismatch",
        `withWeights: ${JSON.stringify(tensor.name)}: elements: expected ${expected}, got ${values.length}`,
        { tensor: tensor.name },
      );
    }
    return tensorToProto({ dtype: "float32", shape, data: values }, tensor.name);
  });
  for (const name of missing) {
    throw new TrainingError(
      "unknown-weight",
      `withWeights: ${JSON.stringify(name)}: expected an initializer of the model, got none of that name`,
      { tensor: name },
    );
  }
  if (model.graph === undefined) return model;
  return copyMessage(model, { graph: copyMessage(model.graph, { initializer }) });
}
