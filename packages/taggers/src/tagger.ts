import type { Tensor } from "@nasty/core";
import type { Labelling, Task } from "./task.js";

/** Sentences as lists of words, in memory or streamed. */
export type Sentences = Iterable<readonly string[]> | AsyncIterable<readonly string[]>;

/** How sentences are put together into runs of the model. */
export interface BatchOptions {
  /**
   * Most sentences (or windows of a long one) in one run; 1 is the exact mode: no padding, nothing shared between
   * sentences.
   */
  readonly batchSize?: number;
  /** Most positions in one run, padding included: sentences × longest sentence. */
  readonly batchTokens?: number;
  /** How many sentences may be read ahead to be sorted by length; memory and delay are bounded by it. */
  readonly lookAhead?: number;
  /**
   * Forgets first what earlier calls left, so that the labels depend on this call alone. A word's vector is computed
   * together with others that are new, and the last bits of a sum can differ with them; kept for a later call, they can
   * decide between two labels that are as likely.
   */
  readonly fresh?: boolean;
  /** Ends the call between two runs of the model, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * How the labels of a word's subwords become those of entities.
 *
 * `none`: each subword with an entity label by itself; `simple`: subwords by their own labels, so that an entity may
 * end inside of a word; `first`, `average`, `max`: one label a word, of its first subword, of the mean of its subwords'
 * probabilities, of its surest subword.
 */
export type Aggregation = (typeof aggregations)[number];

export const aggregations = ["none", "simple", "first", "average", "max"] as const;

/** {@link BatchOptions}, and what a word of several subwords gets. */
export interface ChoiceOptions extends BatchOptions {
  /** Default `first`: the labels of {@link Tagger.tag}. */
  readonly aggregation?: Aggregation | undefined;
}

/** The labels of one sentence, and how sure they are. */
export interface LabelChoices {
  /** Index of a label: one a word, or one a subword. */
  readonly labels: Int32Array;
  /** Probability of that label, 0..1. */
  readonly probabilities: Float64Array;
  /** How many subwords stand before each word and, last, in all; undefined where there is one choice a word. */
  readonly subwordsBefore?: Int32Array | undefined;
}

/** One run's worth of encoded sentences, as calibration wants it. */
export interface EncodedBatch {
  /** One tensor for each input of the model. */
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** 1 where a position is real, 0 where it is padding: uint8 [batch, length]. */
  readonly mask: Tensor<"uint8">;
  /** How many words the batch labels. */
  readonly words: number;
}

/**
 * A model that gives each word of a sentence one label.
 *
 * The `kind` says how words become numbers: `transformer` by a Hugging Face tokenizer, `neural` by the features of this
 * package's own architectures, `sequence` by a list of words with their ids. Callers need not care.
 */
export interface Tagger {
  readonly kind: "transformer" | "neural" | "sequence";
  readonly task: Task;
  /** Labels by the index of the model's output. */
  readonly labels: readonly string[];
  /** What the labels are taken for, and why; seen from them where a tagger does not say. */
  readonly labelling?: Labelling | undefined;
  /** BCP 47 tag of the language that it is for, by which texts are cut for it; English unless it says. */
  readonly language?: string | undefined;
  /**
   * Labels of each sentence, in input order, one a word; an empty sentence gets an empty list. Sentences are pulled as
   * needed; one of more than 512 words goes through overlapping windows, a word of more than 1,000 UTF-16 units is
   * looked at up to there.
   *
   * @throws TaggerError `words` for anything but lists of texts; the signal's reason where it is aborted.
   */
  tag(sentences: Sentences, options?: BatchOptions): AsyncIterable<readonly string[]>;
  /**
   * Labels of each sentence with their probabilities, in input order; for {@link entities}. Only taggers of entities
   * have it.
   *
   * @throws TaggerError as {@link Tagger.tag}
   */
  choices?(sentences: Sentences, options?: ChoiceOptions): AsyncIterable<LabelChoices>;
  /**
   * Start and end of each subword of a word in its UTF-16 units, [2 × subwords]; a tagger of whole words has it not.
   */
  subwordSpans?(word: string): Int32Array;
  /** The model's inputs for these sentences, in the batches that {@link Tagger.tag} would run. */
  feedsOf(sentences: Sentences, options?: BatchOptions): AsyncIterable<EncodedBatch>;
  /** Frees the model; the tagger cannot be used afterwards. */
  close(): Promise<void>;
}
