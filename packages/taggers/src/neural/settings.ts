import type { Task } from "../task.js";
import type { FeatureSettings } from "./features/feature-settings.js";

/** All that a neural tagger needs beside the graph. */
export interface NeuralSettings {
  readonly kind: "neural";
  readonly task: Task;
  readonly labels: readonly string[];
  readonly features: FeatureSettings;
}
