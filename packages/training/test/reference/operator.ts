import type { NodeProto } from "@nasty/formats/onnx";
import type { Nd } from "./array.js";

/** What a node computes, from its inputs; undefined ones are left out. */
export type Operator = (node: NodeProto, inputs: readonly (Nd | undefined)[]) => readonly Nd[];
