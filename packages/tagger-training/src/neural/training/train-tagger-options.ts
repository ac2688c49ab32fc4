import type { LabelScheme } from "@nasty/formats/iob";
import type { Task } from "@nasty/taggers";
import type { CheckpointStore, Engine, Modifier, TrainingEvent } from "@nasty/training";
import type { QuantizationAware } from "../../quantization-aware/quantization-aware.js";
import type { EncodedVectors } from "../../word-codes/encode-vectors.js";
import type { ArchitectureName, ArchitecturePreset } from "../architecture.js";
import type { Pretraining } from "../pretraining/pretrain.js";
import type { Recipe } from "./recipe.js";
import type { SoftTargets } from "./soft-targets.js";
import type { TrainingSentence } from "./training-sentence.js";

export interface TrainTaggerOptions extends QuantizationAware {
  readonly task: Task;
  readonly train: readonly TrainingSentence[];
  readonly validation: readonly TrainingSentence[];
  /** Name of an architecture, or one of your own. Default `bilstm`. */
  readonly architecture?: ArchitectureName | ArchitecturePreset;
  readonly recipe?: Partial<Recipe>;
  /** Word vectors as codes, which every word of theirs is known by, in training or not. */
  readonly wordCodes?: EncodedVectors;
  /** Raw text on which the encoder is trained first. */
  readonly pretraining?: Pretraining;
  /**
   * Scheme of the entity labels of the text (and of the labels of `soft`); seen from them unless given. IOB2 is learned
   * from text in any scheme.
   */
  readonly scheme?: LabelScheme | undefined;
  /**
   * BCP 47 tag of the language of the text, kept in the model's settings: raw text is cut by it. English unless given.
   */
  readonly language?: string | undefined;
  /**
   * Whether label sequences get scores of their own (a conditional random field). Default: for entities, without
   * `soft`.
   */
  readonly chain?: boolean;
  /**
   * What teachers think of each word of `train`; a label `_` is then a word without a right label. Not with `chain`.
   */
  readonly soft?: SoftTargets;
  /** Default 1. The same seed, data, options and number of threads give the same model. */
  readonly seed?: number;
  readonly threads?: number;
  /** What computes losses and gradients. Default: ONNX Runtime. */
  readonly engine?: Engine;
  /** Stops after this many epochs without a better value on validation. */
  readonly patience?: number;
  /** What works on the model while it trains. Checkpoints know them by their names. */
  readonly modifiers?: readonly Modifier[];
  /** Where to keep what an interrupted training goes on from. */
  readonly checkpoint?: CheckpointStore;
  /** Steps between checkpoints, beside those after every epoch. */
  readonly checkpointEvery?: number;
  readonly onEvent?: (event: TrainingEvent) => void;
  /** Steps between `step` events. Default 50. */
  readonly eventEvery?: number;
  readonly signal?: AbortSignal;
}
