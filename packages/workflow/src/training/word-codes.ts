import {
  type ArchitecturePreset,
  type EncodedVectors,
  encodeVectors,
  parseVectors,
} from "@nasty/tagger-training";
import { UsageError } from "../errors.js";
import { chunksOf, linesOf } from "../texts/text-lines.js";

interface Settings {
  readonly vectors?: string | undefined;
  readonly vectorWords?: number | undefined;
}

/** Wider rows of codes bring a tagger nothing. */
const WIDEST = 64;
const USUAL_WORDS = 40_000;

/**
 * The word vectors that are asked for, in codes of a width that the network can take; nothing where none are.
 *
 * @throws UsageError for a number of words without vectors, and for a network that reads none; InputError, TaggerError
 *   for a file that cannot be read
 */
export async function wordCodesOf(
  operation: string,
  { vectors, vectorWords }: Settings,
  preset: ArchitecturePreset,
): Promise<{ readonly wordCodes?: EncodedVectors }> {
  if (vectors === undefined) {
    if (vectorWords === undefined) return {};
    throw new UsageError(
      `${operation}: --vector-words: expected it with --vectors FILE, got ${vectorWords} alone`,
    );
  }
  const limit = vectorWords ?? USUAL_WORDS;
  const { chunks, name } = chunksOf(vectors);
  const read = await parseVectors(textsOf({ chunks, name }), { limit, name });
  const { join, word } = preset.architecture.embedding;
  const width = join === "sum" ? word : Math.min(WIDEST, read.width);
  return { wordCodes: encodeVectors(read, { limit, width }) };
}

async function* textsOf(named: ReturnType<typeof chunksOf>): AsyncGenerator<string> {
  for await (const { text } of linesOf(named)) yield text;
}
