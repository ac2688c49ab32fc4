import type { AttributeValue } from "@nasty/formats/onnx";
import { type RecurrentActivation, recurrentActivation } from "../activations.js";
import type { Value } from "../value.js";
import { channelsOf, type LayerContext, onlyInput } from "../layer-context.js";
import { type LayerOptions, optionsOf } from "../layer-options.js";
import { type Cell, cells, recurrentWeights } from "./recurrent-weights.js";

const known = [
  "units",
  "activation",
  "recurrent_activation",
  "use_bias",
  "return_sequences",
  "return_state",
  "stateful",
  "time_major",
  "go_backwards",
  "reset_after",
];

/** LSTM, GRU or SimpleRNN, in one direction. */
export function recurrent(context: LayerContext, inputs: readonly Value[]): Value {
  const { layer, scope, writer } = context;
  const input = onlyInput(context, inputs, [3, 3]);
  const options = context.options(...known);
  const isBackward = options.flag("go_backwards", false);
  if (isBackward && options.flag("return_sequences", false)) {
    throw options.unsupported(
      "go_backwards",
      "false where return_sequences is true, outside of Bidirectional",
    );
  }
  const cell = cells.get(layer.className) as Cell;
  const direction = isBackward ? "reverse" : "forward";
  const run = runCell(context, { cell, options, input, scopes: [scope], direction });
  const squeezed = writer.op(layer.name, "Squeeze", [run.output, writer.ints(run.directionAxis)]);
  return resultOf(input, run, { name: squeezed, channels: run.units });
}

/** How the results of two directions are joined, but for the default of putting them side by side. */
const reductions = new Map(Object.entries({ sum: "ReduceSum", ave: "ReduceMean", mul: "ReduceProd" }));

/** A recurrent layer read in both directions. */
export function bidirectional(context: LayerContext, inputs: readonly Value[]): Value {
  const { layer, scope, writer } = context;
  const input = onlyInput(context, inputs, [3, 3]);
  const outer = context.options("merge_mode", "layer");
  const inner = innerLayer(context);
  const cell = cells.get(inner.className);
  if (cell === undefined) {
    throw context.error(
      "unsupported-layer",
      "layer",
      [...cells.keys()].join(", "),
      JSON.stringify(inner.className),
    );
  }
  const mode = "merge_mode" in layer.config ? layer.config["merge_mode"] : "concat";
  const reduction = reductions.get(String(mode));
  if (reduction === undefined && mode !== "concat")
    throw outer.unsupported("merge_mode", "concat, sum, ave or mul");
  const options = optionsOf({ ...inner, name: layer.name }, known);
  options.only("go_backwards", false, "false inside of Bidirectional");
  const scopes = ["forward", "backward"].map((way) => `${scope}/${way}_${inner.name}`);
  const run = runCell(context, { cell, options, input, scopes, direction: "bidirectional" });
  if (reduction !== undefined) {
    const joined = writer.op(layer.name, reduction, [run.output, writer.ints(run.directionAxis)], {
      keepdims: 0,
    });
    return resultOf(input, run, { name: joined, channels: run.units });
  }
  const perm = run.isSequence ? [0, 2, 1, 3] : [1, 0, 2];
  const beside = writer.op(`${layer.name}/beside`, "Transpose", [run.output], { perm });
  const channels = 2 * run.units;
  const shape = run.isSequence ? writer.ints(0, 0, channels) : writer.ints(0, channels);
  return resultOf(input, run, { name: writer.op(layer.name, "Reshape", [beside, shape]), channels });
}

/** The layer inside of a wrapper. */
export function innerLayer({ layer, error }: LayerContext): {
  name: string;
  className: string;
  config: Record<string, unknown>;
} {
  const inner = layer.config["layer"];
  if (typeof inner === "object" && inner !== null && "class_name" in inner && "config" in inner) {
    const { class_name: className, config } = inner;
    if (typeof className === "string" && typeof config === "object" && config !== null) {
      const { name } = config as Record<string, unknown>;
      return { name: String(name ?? ""), className, config: config as Record<string, unknown> };
    }
  }
  throw error(
    "invalid-model",
    "layer",
    "a layer with class_name and config",
    JSON.stringify(inner) ?? "nothing",
  );
}

interface CellRun {
  /** [time, directions, batch, units], or the last of each row [directions, batch, units]. */
  readonly output: string;
  readonly isSequence: boolean;
  readonly directionAxis: number;
  readonly units: number;
}

interface CellCall {
  readonly cell: Cell;
  readonly options: LayerOptions;
  readonly input: Value;
  readonly scopes: readonly string[];
  readonly direction: "forward" | "reverse" | "bidirectional";
}

function runCell(context: LayerContext, { cell, options, input, scopes, direction }: CellCall): CellRun {
  for (const key of ["return_state", "stateful", "time_major"]) options.only(key, false, "false");
  const isGru = cell.op === "GRU";
  const resetAfter = isGru && options.flag("reset_after", false);
  const units = options.count("units");
  const useBias = options.flag("use_bias", true);
  const isSequence = options.flag("return_sequences", false);
  const sizes = { inputs: channelsOf(context, input), units, useBias, twoBiases: resetAfter };
  const activations = activationsOf(cell, options, scopes.length);
  const { writer, layer } = context;
  const { W, R, B } = recurrentWeights(context, cell, scopes, sizes);
  context.mixesTime(input.lengths !== undefined);
  const inputs = [writer.inLayout(input, "time-first"), W, R, B, input.lengths ?? ""];
  while (inputs.at(-1) === "") inputs.pop();
  const attributes = {
    hidden_size: units,
    direction,
    ...activations,
    ...(isGru && { linear_before_reset: resetAfter ? 1 : 0 }),
  };
  // All steps come first, then the last one.
  const output = writer.op(layer.name, cell.op, inputs, attributes, isSequence ? 0 : 1);
  return { output, isSequence, directionAxis: isSequence ? 1 : 0, units };
}

/** Gate, candidate and (LSTM) output functions of each direction, with the parameters of those that have some. */
function activationsOf(
  cell: Cell,
  options: LayerOptions,
  directions: number,
): Record<string, AttributeValue> {
  const main = recurrentActivation(options, "activation", "tanh");
  const gate =
    cell.op === "RNN" ? undefined : recurrentActivation(options, "recurrent_activation", "hard_sigmoid");
  const one = gate === undefined ? [main] : cell.op === "GRU" ? [gate, main] : [gate, main, main];
  const all = Array.from({ length: directions }, () => one).flat();
  const parameters = (key: "alpha" | "beta"): AttributeValue | undefined => {
    const values = all.flatMap((activation: RecurrentActivation) => activation[key] ?? []);
    return values.length === 0 ? undefined : { kind: "floats", value: values };
  };
  const [alpha, beta] = [parameters("alpha"), parameters("beta")];
  return {
    activations: all.map(({ name }) => name),
    ...(alpha !== undefined && { activation_alpha: alpha }),
    ...(beta !== undefined && { activation_beta: beta }),
  };
}

function resultOf(input: Value, run: CellRun, { name, channels }: { name: string; channels: number }): Value {
  const [batch, time] = input.shape;
  if (!run.isSequence) return { name, shape: [batch, channels], dtype: "float32", layout: "batch-first" };
  const { lengths } = input;
  return {
    name,
    shape: [batch, time, channels],
    dtype: "float32",
    layout: "time-first",
    ...(lengths !== undefined && { lengths }),
  };
}
