import { following, type Value } from "../value.js";
import { type LayerContext, shapeText } from "../layer-context.js";

const INT32 = 6;

/** Rows of a table; with `mask_zero`, the ids of a row that are not 0 are its real steps. */
export function embedding(context: LayerContext, inputs: readonly Value[]): Value {
  const options = context.options("input_dim", "output_dim", "mask_zero", "input_length");
  const { writer, weights, scope, layer } = context;
  const [input, second] = inputs;
  if (input === undefined || second !== undefined) {
    throw context.error("unsupported-option", "inputs", "1", String(inputs.length));
  }
  const shape = [options.count("input_dim"), options.count("output_dim")];
  const table = writer.weight(`${scope}/embeddings`, shape, () => weights.take(scope, "embeddings", shape));
  const ids =
    input.dtype === "int32" ? input.name : writer.op(layer.name, "Cast", [input.name], { to: INT32 });
  const { lengths: _lengths, ...unmasked } = input;
  return following(unmasked, writer.op(layer.name, "Gather", [table, ids]), {
    shape: [...input.shape, shape[1]],
    dtype: "float32",
    ...(options.flag("mask_zero", false) && { lengths: lengthsOf(context, { ...input, name: ids }) }),
  });
}

function lengthsOf({ writer, layer, error }: LayerContext, ids: Value): string {
  if (ids.shape.length !== 2) {
    throw error("unsupported-option", "mask_zero", "ids of [batch, time]", shapeText(ids));
  }
  const isPadding = writer.op(`${layer.name}/mask`, "Equal", [ids.name, writer.scalar("int32", 0)]);
  const isReal = writer.op(`${layer.name}/mask`, "Not", [isPadding]);
  const real = writer.op(`${layer.name}/mask`, "Cast", [isReal], { to: INT32 });
  return writer.op(`${layer.name}/lengths`, "ReduceSum", [real, writer.ints(1)], { keepdims: 0 });
}

/** Steps of which any channel differs from `mask_value` are real; the others become 0. */
export function masking(context: LayerContext, inputs: readonly Value[]): Value {
  const options = context.options("mask_value");
  const { writer, layer } = context;
  const [input, second] = inputs;
  if (input === undefined || second !== undefined || input.shape.length !== 3 || input.dtype !== "float32") {
    throw context.error(
      "unsupported-option",
      "input",
      "float32 [batch, time, channels]",
      inputs.map(shapeText).join(", "),
    );
  }
  const x = writer.inLayout(input, "batch-first");
  const name = `${layer.name}/mask`;
  const isValue = writer.op(name, "Equal", [x, writer.scalar("float32", options.number("mask_value", 0))]);
  const differs = writer.op(name, "Not", [isValue]);
  const numbers = writer.op(name, "Cast", [differs], { to: INT32 });
  const real = writer.op(name, "ReduceMax", [numbers, writer.ints(2)], { keepdims: 1 });
  const factor = writer.op(name, "Cast", [real], { to: 1 });
  const lengths = writer.op(`${layer.name}/lengths`, "ReduceSum", [real, writer.ints(1, 2)], { keepdims: 0 });
  return following(input, writer.op(layer.name, "Mul", [x, factor]), { layout: "batch-first", lengths });
}
