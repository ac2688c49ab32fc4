import type { Tensor } from "@nasty/core";
import type { TensorFlow, TfTensor } from "../tensorflow.js";

/** What a loss reads: tensors of the graph by name, and the batch. */
export interface LossInputs {
  readonly tf: TensorFlow;
  tensor(name: string): TfTensor;
  fed(name: string): Tensor;
}
