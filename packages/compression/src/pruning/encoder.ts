import { inferShapes, splitGemm, type ModelGraph } from "@nasty/graph";
import type { ModelProto } from "@nasty/formats/onnx";
import { openForCompression } from "../files/open-for-compression.js";
import { type AttentionBlock, findAttention } from "./find-attention.js";
import { type FeedForwardBlock, findFeedForward } from "./find-feed-forward.js";
import type { NotPruned } from "./plan.js";
import { isMismatch, type TypedGraph } from "./trace.js";

/** A model with its attention and feed-forward layers, as planning and applying both see it. */
export interface Encoder {
  readonly model: ModelGraph;
  readonly typed: TypedGraph;
  readonly attention: readonly AttentionBlock[];
  readonly feedForward: readonly FeedForwardBlock[];
  readonly notPruned: readonly NotPruned[];
}

/** Opens a model and finds its prunable layers; Gemm nodes become MatMul and Add first. */
export function openEncoder(proto: ModelProto): Encoder {
  const model = openForCompression(proto);
  splitGemm(model);
  const typed = { graph: model.main, types: inferShapes(model) };
  const attention: AttentionBlock[] = [];
  const feedForward: FeedForwardBlock[] = [];
  const notPruned: NotPruned[] = [];
  for (const { name, found } of findAttention(typed)) {
    if (isMismatch(found)) {
      notPruned.push({ name, op: "attention", reason: found.reason });
    } else {
      attention.push(found);
    }
  }
  for (const { name, found } of findFeedForward(typed)) {
    if (isMismatch(found)) {
      notPruned.push({ name, op: "feed-forward", reason: found.reason });
    } else {
      feedForward.push(found);
    }
  }
  return { model, typed, attention, feedForward, notPruned };
}
