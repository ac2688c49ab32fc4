import type { CalibrationBatch } from "@nasty/calibration";
import type { ModelProto } from "@nasty/formats/onnx";
import type { Session } from "@nasty/runtime";
import type { Flip, LabelledSentence } from "@nasty/taggers";
import type { ModelKindName } from "@nasty/taggers/texts";
import type { OpenModelOptions } from "../models/open-tagger.js";
import type { OpenWritten } from "../quantization/open-written.js";
import type { LabellingDocument } from "../report/labelling-text.js";
import type { Reporter } from "../reporter.js";
import type { PlainTextOptions } from "../texts/plain-text.js";

/** What a model is given once: the words of a sentence, a text or two, named tensors. Only its kind looks inside. */
export type Sample = unknown;

/** A sample with its right answer, where the text has one. Only its kind looks inside. */
export type Labelled = unknown;

/** How files become samples of a kind. */
export interface Reading<S = Sample, L = Labelled> {
  readonly name: ModelKindName;
  /** What samples are called: `sentences`, `texts`. */
  readonly noun: string;
  /** Samples of a file (or `-`), labels not needed, streamed. */
  read(path: string, options?: PlainTextOptions): AsyncIterable<S>;
  /** Samples with their right answers, streamed. */
  readLabelled(path: string): AsyncIterable<L>;
  /** A sample as one without a right answer. */
  unlabelled(sample: S): L;
  /** The sample of a labelled one. */
  sampleOf(labelled: L): S;
  /** How samples are kept in thousands until a file is read to its end. */
  readonly held: Held<S>;
}

/**
 * What differs between models of one kind and another: how files become samples and samples inputs, how the model is
 * asked, and how its answers are judged. A tagger is one of them.
 */
export interface ModelKind<S = Sample, L = Labelled> extends Reading<S, L> {
  /** The inputs of each sample by itself, to measure activations with. */
  feedsOf(samples: Iterable<S>): AsyncIterable<CalibrationBatch>;
  /** The model with all that its file must carry. */
  finished(model: ModelProto): Promise<ModelProto>;
  /** What {@link ModelKind.finished} adds, for estimates of size. */
  metadata(): Promise<Readonly<Record<string, string>>>;
  /** Opens a model in memory. */
  open(model: ModelProto, options: { readonly threads: number }): Promise<Subject<L, S>>;
  /** Asks a session that is open for another purpose, and stays so; undefined where it takes sessions of its own. */
  inSession(session: Session): Promise<Subject<L, S> | undefined>;
  /** Opens the file of a model whose weights were looked at. */
  openFile(file: ModelFile, options: OpenModelOptions): Promise<Subject<L, S>>;
  /** Opens a written file by what it carries itself. */
  openWritten(written: OpenWritten): Promise<Subject<L, S>>;
}

/** The file of a model, and its graph where opening it may spare reading it again. */
export interface ModelFile {
  /** What the user named. */
  readonly path: string;
  readonly modelPath: string;
  readonly model?: ModelProto | undefined;
}

/** Samples as they are kept. */
export interface Held<S> {
  of(sample: S): unknown;
  sample(held: unknown): S;
  /** Words, characters or numbers in it. */
  sizeOf(held: unknown): number;
}

/** What is asked: how well a model answers, or how alike its answers are to another's. */
export interface Asking {
  /** What is being done, for progress. */
  readonly step: string;
  /** The file that the samples are from, for messages. */
  readonly path: string;
  /** Scheme of entity labels, where it is the text's. */
  readonly scheme?: OpenModelOptions["scheme"];
  /** What the model that this one was made of said to the same samples. */
  readonly reference?: Verdict | undefined;
}

/** A model that is open, and is asked as those of its kind are. */
export interface Subject<L = Labelled, S = Sample> {
  /** The session of the whole graph; undefined where it runs in parts. */
  readonly session: Session | undefined;
  /** Sample by sample: ranges of dynamic activations span a batch. */
  judge(
    samples: readonly L[],
    asking: Asking,
    reporter: Pick<Reporter, "progress" | "signal">,
  ): Promise<Verdict>;
  /** Asks it once more, for the time that it takes. */
  runAll(samples: readonly S[], batchSize: number): Promise<void>;
  close(): Promise<void>;
}

/** What a model said to some samples, and how good it is. */
export interface Verdict {
  readonly samples: number;
  /** What it is measured in; null for samples without labels. */
  readonly metric: string | null;
  /** Of the metric; NaN without one. */
  readonly value: number;
  /** Against the reference; undefined where none was given. */
  readonly against: Against | undefined;
  /** What entity labels were taken for; of taggers only. */
  readonly labelling?: {
    readonly labelling: LabellingDocument;
    readonly goldLabelling: LabellingDocument;
  };
  /** Labels of each sentence; of taggers only. */
  readonly predictions?: readonly (readonly string[])[];
  /** Further figures against labels, such as `macroF1`. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** A loss with its confidence interval. */
export interface Loss {
  readonly loss: number;
  readonly low: number;
  readonly high: number;
}

/** How a model's answers differ from the reference's to the same samples. */
export interface Against {
  /** Answers that changed: of each sample or word. */
  readonly flips: readonly Flip[];
  /** The samples as lists of words or of one text with their right labels, for lists of what changed. */
  readonly shown: readonly LabelledSentence[];
  /** What is gated on without labels, from 0 to 1: see {@link AgreementFigures}. */
  readonly agreement: number;
  /** What the agreement is measured in, in words: `labels kept`, `recall@10`, `cosine`. */
  readonly agreementOf: string;
  readonly figures: AgreementFigures;
  /** Loss of the metric; paired bootstrap over samples. */
  loss(seed: number): Loss;
  /** 1 − agreement. */
  drift(seed: number): Loss;
}

/** Figures of two models' answers, as far as the kind has them. */
export interface AgreementFigures {
  /** Share of samples (words) with the same best answer. */
  readonly top1?: number | undefined;
  /** Of vectors: mean over samples of the cosine between the two, and its first percentile. */
  readonly cosineMean?: number | undefined;
  readonly cosineP01?: number | undefined;
  /** Of vectors: share of each sample's nearest neighbours among the sample that stay. */
  readonly recallAt10?: number | undefined;
  /** Spearman's correlation of the two models' numbers. */
  readonly spearman?: number | undefined;
  /** Of every output of a graph, or of a classifier's scores. */
  readonly outputs?: readonly OutputAgreement[] | undefined;
}

/** One output of two models. */
export interface OutputAgreement {
  readonly name: string;
  /** Over all values at once. */
  readonly cosine: number;
  /** Mean and first percentile over samples; null where a sample has one number. */
  readonly cosineMean: number | null;
  readonly cosineP01: number | null;
  /** Share of rows along the last axis with the same largest number; null where rows have one. */
  readonly top1: number | null;
  readonly maxError: number;
  readonly meanError: number;
}

/** A kind whose samples are known to itself alone. */
export const kindOf = <S, L>(kind: ModelKind<S, L>): ModelKind => kind as unknown as ModelKind;
