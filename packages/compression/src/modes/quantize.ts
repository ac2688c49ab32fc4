import type { ModelProto } from "@nasty/formats/onnx";
import { apply } from "./apply.js";
import { plan, type PlanMode, type PlanOptions } from "./plan.js";
import type { ApplyOptions } from "./prepare.js";

/**
 * Plans and applies at once; the result can be run or written.
 *
 * @throws CompressionError as `plan` and `apply`
 */
export async function quantize<Mode extends PlanMode>(
  model: ModelProto,
  options: PlanOptions<Mode> & ApplyOptions,
): Promise<ModelProto> {
  return (await apply(model, await plan(model, options), options)).model;
}
