import type { LabelSettings } from "../label-choice.js";
import type { FeatureSettings } from "./features/feature-settings.js";

/** All that a neural tagger needs beside the graph. */
export interface NeuralSettings extends LabelSettings {
  readonly kind: "neural";
  readonly features: FeatureSettings;
}
