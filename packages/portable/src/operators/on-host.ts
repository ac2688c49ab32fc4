import { dataConstructor, type DType, elementCount, type Tensor } from "@nasty/core";
import { bytesOf } from "../memory/heap.js";
import type { BuiltNode, HostFunction } from "../plan/operator.js";
import type { Planner } from "../plan/planner.js";
import type { Value } from "../plan/value.js";

/** An empty tensor to be filled. */
export const emptyTensor = (dtype: DType, shape: readonly number[]): Tensor => ({
  dtype,
  shape,
  data: new (dataConstructor(dtype))(elementCount(shape)),
});

/** A step that reads the inputs from memory, computes, and writes the results: for what is small or seldom. */
const hostStep = (
  planner: Planner,
  inputs: readonly (Value | undefined)[],
  {
    host,
    results,
  }: { readonly host: HostFunction; readonly results: readonly (Value & { readonly at: number })[] },
): void => {
  const places = inputs.map((value) =>
    value === undefined || value.known !== undefined ? undefined : planner.address(value),
  );
  const { heap } = planner;
  planner.step(() => {
    const tensors = inputs.map((value, index) =>
      value === undefined
        ? undefined
        : (value.known ?? heap.view(value.dtype, value.shape, places[index] as number)),
    );
    for (const [index, { data }] of host(tensors).entries())
      heap.u8.set(bytesOf(data), (results[index] as { readonly at: number }).at);
  });
};

/**
 * A node that is computed in JavaScript.
 *
 * @param shapes shapes of the results, from the inputs of a plan
 */
export const onHost = (
  outputs: readonly DType[],
  host: HostFunction,
  shapes: (inputs: readonly (Value | undefined)[]) => readonly (readonly number[])[],
): BuiltNode & { readonly host: HostFunction } => ({
  outputs,
  host,
  plan(planner, inputs) {
    const results = shapes(inputs).map((shape, index) => planner.result(outputs[index] as DType, shape));
    hostStep(planner, inputs, { host, results });
    return results;
  },
});
