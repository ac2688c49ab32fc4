import { NastyError } from "@nasty/core";
import { TaggerError, type TaggerErrorCode } from "../../tagger-error.js";
import type { ChoiceOptions, EncodedBatch, LabelChoices } from "../../tagger.js";
import type { DownloadProgress } from "../download.js";
import type { LoadTaggerOptions, WebTagger } from "../open-tagger.js";
import type { TaggerSource } from "../source.js";

/** What may cross to a worker: no functions. */
export type SentOptions = Omit<LoadTaggerOptions, "onProgress" | "signal" | "fetch"> & {
  readonly checkWeights?: boolean;
};

/** Batch options without what cannot cross. */
export type SentBatchOptions = Omit<ChoiceOptions, "signal">;

/** What a page asks; each has a number that the answers repeat. */
export type Ask =
  | {
      readonly kind: "open";
      readonly id: number;
      readonly source: TaggerSource;
      readonly options: SentOptions;
    }
  | {
      readonly kind: "tag" | "choices" | "feeds";
      readonly id: number;
      readonly tagger: number;
      readonly sentences: readonly (readonly string[])[];
      readonly options: SentBatchOptions;
    }
  | { readonly kind: "close"; readonly id: number; readonly tagger: number }
  | { readonly kind: "abort"; readonly id: number };

/** What a tagger says of itself. */
export type Described = Pick<WebTagger, "kind" | "task" | "labels" | "labelling" | "language" | "modelBytes">;

/** What a tagger can do beside tagging. */
export interface Abilities {
  readonly hasChoices: boolean;
}

/** What a worker answers. */
export type Answer =
  | { readonly kind: "progress"; readonly id: number; readonly progress: DownloadProgress }
  | {
      readonly kind: "opened";
      readonly id: number;
      readonly tagger: Described;
      readonly abilities: Abilities;
    }
  | { readonly kind: "tagged"; readonly id: number; readonly labels: readonly (readonly string[])[] }
  | { readonly kind: "chosen"; readonly id: number; readonly choices: readonly LabelChoices[] }
  | { readonly kind: "fed"; readonly id: number; readonly batches: readonly EncodedBatch[] }
  | { readonly kind: "closed"; readonly id: number }
  | { readonly kind: "failed"; readonly id: number; readonly error: SentError };

/** An error as it crosses: its class stays behind. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
}

export function sentError(error: unknown): SentError {
  const code = error instanceof NastyError ? String(error.code) : undefined;
  return error instanceof Error
    ? { name: error.name, message: error.message, code }
    : { name: "Error", message: String(error), code };
}

/** The error on the page's side: one that a package foresaw is a TaggerError with its sentence and its code. */
export function receivedError({ name, message, code }: SentError): Error {
  if (code !== undefined) return new TaggerError(code as TaggerErrorCode, message);
  const error = new Error(message);
  error.name = name;
  return error;
}
