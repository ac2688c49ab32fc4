import type { Tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { TaggerError } from "../tagger-error.js";
import { checkpointTensors } from "./checkpoint-tensors.js";
import { parseEncoderConfig } from "./encoder-config.js";
import { familyOf } from "./families.js";
import { readEncoderCheckpoint, withoutWrapper } from "./read-checkpoint.js";

/** The weights under a family's own names, if they are complete: an exporter may have renamed or merged them. */
export function familyTensors(
  config: Readonly<Record<string, unknown>>,
  model: ModelProto,
): ReadonlyMap<string, Tensor> | undefined {
  const family = familyOf(String(config["model_type"]));
  if (family === undefined) return undefined;
  const tensors = withoutWrapper(checkpointTensors(model), family);
  try {
    readEncoderCheckpoint(tensors, parseEncoderConfig(config));
    return tensors;
  } catch (error) {
    if (error instanceof TaggerError) return undefined;
    throw error;
  }
}
