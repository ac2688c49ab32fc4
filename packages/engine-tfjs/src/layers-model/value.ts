import type { Dimension } from "@nasty/formats/onnx";

/**
 * What is known of a value of the graph. The shape is the layer's, batch first; the value itself may lie with time
 * first, as recurrent operators give it, so that layers on top of each other need no transposition between them.
 */
export interface Value {
  readonly name: string;
  /** [batch, time, …, channels] */
  readonly shape: readonly Dimension[];
  readonly dtype: "float32" | "int32";
  readonly layout: "batch-first" | "time-first";
  /** int32 [batch], how many steps of each row are real, where a mask says so. */
  readonly lengths?: string;
  /** The function that was applied last, by its name in TensorFlow. */
  readonly activation?: string;
}

/** A layer's result in the layout of its input; the mask goes on. */
export function following(input: Value, name: string, changed: Partial<Value> = {}): Value {
  const { activation: _activation, ...rest } = input;
  return { ...rest, name, ...changed };
}
