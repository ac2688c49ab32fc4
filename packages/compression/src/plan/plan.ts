import type { Granularity } from "@nasty/core";

/** How a plan's step stores weights and computes with them. */
export type QuantizationMode = "dynamic" | "static" | "weight-only" | "int4" | "mixed";

/** Operators whose weights can be quantized; `Gather` stands for embedding tables. */
export type QuantizableOp = "MatMul" | "Gemm" | "Gather" | "LSTM" | "Conv";

/**
 * Which int8 weights a scale allows: `safe` ones, whose products are exact on every processor, or the `full` range,
 * which needs one with a dot-product instruction (VNNI) wherever the file is used. Without it kernels add two products
 * in saturating int16.
 */
export type Pairs = "safe" | "full";

/** What a node becomes. */
export type QuantizedForm =
  /** DynamicQuantizeLinear, MatMulInteger, Cast and Mul: standard operators that ONNX Runtime fuses into one kernel. */
  | "MatMulInteger"
  /** The fused kernel itself, for graphs older than the standard operators (opset 10 and below). */
  | "DynamicQuantizeMatMul"
  | "DynamicQuantizeLSTM"
  | "ConvInteger"
  /** QuantizeLinear and DequantizeLinear around the float operator, which ONNX Runtime fuses into an integer kernel. */
  | "QDQ"
  /** An integer table; the gathered rows are multiplied with their scales. */
  | "Gather"
  | "MatMulNBits"
  | "GatherBlockQuantized";

/** One node that reads a weight. */
export interface PlannedSite {
  /** Path of the graph as `@nasty/graph` names it: subgraphs have their own. */
  readonly graph: string;
  /** Name of the node, or its first output where it has no name. */
  readonly node: string;
  readonly op: QuantizableOp;
  readonly form: QuantizedForm;
  /** First output of the node: unique in its graph, which names of nodes need not be. */
  readonly output: string;
}

/** One weight that becomes integers, and every node that will read them. */
export interface PlannedTensor {
  /** Name of the weight: an initializer or the output of a Constant node. */
  readonly name: string;
  /** The layer that it belongs to, for people: exporters give weights names such as `onnx::MatMul_517`. */
  readonly layer: string;
  /** Path of the graph that holds it. */
  readonly graph: string;
  readonly op: QuantizableOp;
  readonly shape: readonly number[];
  readonly dtype: "int8" | "uint8" | "int4" | "uint4";
  readonly granularity: Granularity;
  readonly symmetric: boolean;
  readonly reduceRange: boolean;
  readonly pairs: Pairs;
  /**
   * Axes, in the weight's own layout, along which integer kernels add products in pairs: none for a table that is only
   * looked up in, for unsigned weights, for weights in blocks and for depthwise convolutions. Of other convolutions
   * axis 1, which stands for the rows of `convolutionRows`: kernel positions one after the other, at each its channels.
   */
  readonly pairAxes: readonly number[];
  readonly sites: readonly PlannedSite[];
}

/** A node that stays in floating point, and why. */
export interface KeptInFloat {
  readonly name: string;
  readonly op: string;
  readonly reason: string;
}

/** How activations of a static plan become integers. */
export interface PlannedActivation {
  readonly name: string;
  readonly graph: string;
  readonly dtype: "uint8" | "int8";
  readonly symmetric: boolean;
  readonly min: number;
  readonly max: number;
  readonly scale: number;
  readonly zeroPoint: number;
}

interface PlanOf<Mode extends QuantizationMode, Activations extends readonly PlannedActivation[]> {
  readonly schemaVersion: 1;
  readonly mode: Mode;
  /** The options with their defaults filled in, and what later steps decided; all of it goes into the history. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly tensors: readonly PlannedTensor[];
  /** Static mode only. */
  readonly activations: Activations;
  readonly keptInFloat: readonly KeptInFloat[];
  readonly warnings: readonly string[];
}

export type DynamicPlan = PlanOf<"dynamic", readonly []>;
export type StaticPlan = PlanOf<"static", readonly PlannedActivation[]>;
export type Int4Plan = PlanOf<"int4", readonly []>;
export type WeightOnlyPlan = PlanOf<"weight-only", readonly []>;
/** Weights of 4 and 8 bits beside float ones, so that the file stays under a size. */
export type MixedPlan = PlanOf<"mixed", readonly []>;
/** What a model was trained for, in the mode that it was trained for; `quantizationAware` is among the options. */
export type TrainedPlan = DynamicPlan | StaticPlan | Int4Plan;

/**
 * What a quantization step is about to do, as plain data: it can be printed, stored as JSON, filtered and applied.
 */
export type QuantizationPlan = DynamicPlan | StaticPlan | Int4Plan | WeightOnlyPlan | MixedPlan;

/** Whether a plan is that of a quantization-aware training: its scales must be the trained ones. */
export const isTrained = ({ options }: QuantizationPlan): boolean => options["quantizationAware"] === true;

/** One quantized weight of a report. */
export interface QuantizedTensor {
  readonly name: string;
  readonly layer: string;
  readonly op: string;
  readonly dtype: string;
  readonly granularity: Granularity;
  /** 10·log10(Σx² / Σ(x − x̂)²) of the weight; Infinity when nothing was lost. */
  readonly sqnrDb: number;
}

/** What was done. */
export interface QuantizationReport {
  readonly mode: QuantizationMode;
  readonly tensors: readonly QuantizedTensor[];
  readonly keptInFloat: readonly KeptInFloat[];
  readonly warnings: readonly string[];
}
