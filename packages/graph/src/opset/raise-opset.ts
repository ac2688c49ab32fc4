import { inferShapes } from "../inference/infer-shapes.js";
import type { ModelGraph } from "../model-graph.js";
import { raiseGraph } from "./raise-graph.js";

/** Version from which on shapes can be inferred; what broadcasting needs to know of them is asked after that. */
const formOfInference = 6;
/** IR version that ONNX released with operator set 13. */
const irOfModernOpsets = 7;

/**
 * Brings a model to a later version of the default operator set: attributes that became inputs, operators that were
 * renamed, and the meanings that versions changed (axes of Softmax before 13, broadcasting before 7, type names of Cast
 * before 6).
 *
 * A model in training mode becomes one that is run: `is_test` is dropped. A model of that version or a later one stays
 * as it is.
 *
 * @throws GraphError `unsupported-opset` naming the first node that the later version cannot say
 * @example
 * ```ts
 * raiseOpset(model, 13);
 * model.opset(); // 13, or what it was if that is later
 * ```
 */
export function raiseOpset(model: ModelGraph, to: number): void {
  const from = model.opset();
  if (from === 0 || from >= to) return;
  let version = from;
  for (const next of [formOfInference, to]) {
    if (next <= version || next > to) continue;
    const types = inferShapes(model);
    for (const graph of model.allGraphs()) {
      raiseGraph(graph, { from: version, to: next, typeOf: (name) => types.typeOf(graph, name) });
    }
    model.setOpset("", next);
    version = next;
  }
  if (to >= 13 && model.irVersion < irOfModernOpsets) model.setIrVersion(irOfModernOpsets);
}
