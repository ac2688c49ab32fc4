import type { ModelProto } from "@nasty/formats/onnx";
import { openForCompression } from "../files/open-for-compression.js";
import type { QuantizationPlan, QuantizedForm } from "../plan/plan.js";
import { findWeightSites } from "../plan/weight-sites.js";

/**
 * Shares of the time that matrix products with constant weights take; they add up to 1, or to 0 without such products.
 */
export interface TimeShares {
  readonly int8: number;
  /** 4 or 8 bits in blocks (MatMulNBits). */
  readonly blocks: number;
  readonly float: number;
}

/**
 * Time of a multiplication relative to int8, from BERT-base at 32 tokens on one core with VNNI, ONNX Runtime 1.30:
 * float32 64 ms, int8 20.7 ms, MatMulNBits with int8 activations 48 ms.
 */
const cost = { int8: 1, blocks: 48 / 20.7, float: 64 / 20.7 } as const;

function classOf(form: QuantizedForm | undefined): keyof TimeShares | undefined {
  switch (form) {
    case undefined:
      return "float";
    case "MatMulNBits":
      return "blocks";
    case "Gather":
    case "GatherBlockQuantized":
      return undefined;
    default:
      return "int8";
  }
}

/**
 * Estimates where the planned model will spend the time of its matrix products: multiplications a token, weighted by
 * what each kind of kernel takes.
 *
 * Products of two activations (attention scores) depend on the length of sentences and are left out.
 *
 * @param model the model that the plan was made for; not changed
 * @example timeShares(model, dynamic.plan(model)) // { int8: 1, blocks: 0, float: 0 }
 */
export function timeShares(model: ModelProto, plan: QuantizationPlan): TimeShares {
  const forms = new Map<string, QuantizedForm>();
  for (const { sites } of plan.tensors) {
    for (const { graph, output, form } of sites) forms.set(`${graph}\0${output}`, form);
  }
  const times = { int8: 0, blocks: 0, float: 0 };
  for (const { graph, node, op, weights } of findWeightSites(openForCompression(model)).sites) {
    if (op === "Gather") continue;
    const output = node.output.find((name) => name !== "") ?? "";
    const kernel = classOf(forms.get(`${graph.path}\0${output}`));
    if (kernel === undefined) continue;
    for (const { shape } of weights) times[kernel] += cost[kernel] * shape.reduce((a, b) => a * b, 1);
  }
  const total = times.int8 + times.blocks + times.float;
  const share = (time: number): number => (total === 0 ? 0 : time / total);
  return { int8: share(times.int8), blocks: share(times.blocks), float: share(times.float) };
}
