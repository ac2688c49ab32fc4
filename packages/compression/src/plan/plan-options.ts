import type { ModelProto } from "@nasty/formats/onnx";
import { prepareModel } from "../files/open-for-compression.js";
import { listedInitializers } from "../rewrite/strip-model.js";

/** What a plan has to say about the file itself. */
export function modelWarnings(model: ModelProto): string[] {
  const listed = listedInitializers(model);
  const { changes } = prepareModel(model);
  return listed === 0
    ? [...changes]
    : [
        ...changes,
        `${listed} weights are listed as inputs: they become constants, callers can feed them no longer`,
      ];
}

/**
 * The defaults with what a caller chose; options left undefined count as left out, and others than the defaults' are
 * ignored.
 */
export function chosenOptions<T extends object>(defaults: T, options: object): T {
  const chosen = Object.entries(options).filter(([name, value]) => value !== undefined && name in defaults);
  return { ...defaults, ...Object.fromEntries(chosen) };
}
