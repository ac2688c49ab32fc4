import type { ModelProto } from "@nasty/formats/onnx";
import type { LabelChoice, TaggerSettings } from "@nasty/taggers";
import type { OpenedTagger } from "@nasty/taggers/node";
import type { AnyTextSettings } from "@nasty/taggers/texts";

/** A model as data: to be planned, described or rewritten, not to be run. */
export interface LoadedModel {
  /** What the user named: a model file or a Hugging Face directory. */
  readonly path: string;
  /** The file itself. */
  readonly modelPath: string;
  readonly modelBytes: number;
  readonly model: ModelProto;
  /** Undefined for a model that has no labels and tokenizer in it or beside it. */
  readonly tagger: TaggerSettings | undefined;
  /** What a classifier or an encoder of texts has; undefined for all other models. */
  readonly text: AnyTextSettings | undefined;
  /** What was made good or is missing in the small files beside it, a sentence each. */
  readonly notes: readonly string[];
  /** Whether others use the graph too: then nothing of it may be written over. */
  readonly isShared: boolean;
  /** SHA-256 of the file, hexadecimal. */
  sha256(): Promise<string>;
}

/** What a command says about the labels of a model. */
export type LoadChoice = LabelChoice & { readonly isSchemeOfText?: boolean };

/** A model ready to tag: its tagger, its session, and where its file is. */
export type OpenModel = OpenedTagger;

/** What a command says about the labels of a model. */
export interface OpenModelOptions extends LabelChoice {
  readonly threads: number;
  /** The scheme may be that of the text that is read with the model. */
  readonly isSchemeOfText?: boolean;
  /** Refuses weights that are not finite, by a second reading of the file. Default true. */
  readonly checkWeights?: boolean;
}
