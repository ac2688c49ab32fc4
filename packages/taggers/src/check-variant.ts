import { isModelVariant, type ModelVariant, modelVariants } from "@nasty/formats/hf";
import { TaggerError } from "./tagger-error.js";

/** @throws TaggerError `not-found` for what is none of the variants that a directory may have */
export function checkVariant(variant: string | undefined): ModelVariant | undefined {
  if (variant === undefined || isModelVariant(variant)) return variant;
  throw new TaggerError(
    "not-found",
    `openTagger: variant: expected one of ${modelVariants.join(", ")}, got "${variant}"`,
    { name: variant },
  );
}
