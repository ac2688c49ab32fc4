/** A convolution over the characters of a word, with the largest value over the word kept. */
export interface CharacterSettings {
  /** Width of a character's embedding. */
  readonly width: number;
  /** Filters by how many characters they see. */
  readonly filters: readonly { readonly size: number; readonly count: number }[];
}

/** How a word's ids become its vector. */
export interface EmbeddingSettings {
  /** Parts one after the other, or added up (then all parts have the same width) and normalised. */
  readonly join: "concat" | "sum";
  readonly word: number;
  /** Width of the prefix and suffix rows, which are added up. */
  readonly affix: number;
  readonly shape: number;
  readonly characters?: CharacterSettings | undefined;
  /** Width of the rows of word codes; `trainTagger` takes that of its `wordCodes`. */
  readonly codes?: number | undefined;
}

interface ArchitectureFields {
  readonly embedding: EmbeddingSettings;
  /** Dropout of the word vectors, one mask a sentence. */
  readonly embeddingDropout: number;
  /** Dropout of the values that the last layer sees. */
  readonly outputDropout: number;
}

/** Two-way LSTM layers. */
export interface BilstmArchitecture extends ArchitectureFields {
  readonly kind: "bilstm";
  readonly layers: number;
  /** Units of one direction. */
  readonly hidden: number;
  /** Dropout between layers. */
  readonly layerDropout: number;
}

/** Residual layers that see a word and its two neighbours: x + LayerNorm(GELU([x₋₁ x x₊₁]·W + b)). */
export interface CnnArchitecture extends ArchitectureFields {
  readonly kind: "cnn";
  readonly layers: number;
  readonly layerDropout: number;
}

/** A network from integer ids to label scores. */
export type Architecture = BilstmArchitecture | CnnArchitecture;

/** What else an architecture's name stands for. */
export interface ArchitecturePreset {
  readonly architecture: Architecture;
  readonly features: {
    readonly leastCount: number;
    readonly prefixes: readonly number[];
    readonly suffixes: readonly number[];
    readonly affixRows: number;
    readonly shapeRows: number;
    readonly longestWord: number;
  };
}

/**
 * The architectures by name. `bilstm`: 2 layers of 176 units a direction, 2.8 M parameters with 9,000 words. `cnn`: 4
 * layers of width 96, 1.4 M parameters, nearly all of them embeddings.
 */
export const architectures = {
  bilstm: {
    architecture: {
      kind: "bilstm",
      embedding: {
        join: "concat",
        word: 96,
        affix: 64,
        shape: 16,
        characters: { width: 32, filters: [2, 3, 4, 5].map((size) => ({ size, count: 28 })) },
      },
      layers: 2,
      hidden: 176,
      embeddingDropout: 0.35,
      layerDropout: 0.35,
      outputDropout: 0.35,
    },
    features: {
      leastCount: 2,
      prefixes: [2, 3, 4],
      suffixes: [2, 3, 4],
      affixRows: 6144,
      shapeRows: 512,
      longestWord: 24,
    },
  },
  cnn: {
    architecture: {
      kind: "cnn",
      embedding: {
        join: "sum",
        word: 96,
        affix: 96,
        shape: 96,
        characters: { width: 24, filters: [2, 3, 4, 5].map((size) => ({ size, count: 24 })) },
      },
      layers: 4,
      embeddingDropout: 0.2,
      layerDropout: 0.2,
      outputDropout: 0.2,
    },
    features: {
      leastCount: 2,
      prefixes: [1, 2, 3, 4],
      suffixes: [1, 2, 3, 4],
      affixRows: 4096,
      shapeRows: 512,
      longestWord: 24,
    },
  },
} as const satisfies Readonly<Record<string, ArchitecturePreset>>;

export type ArchitectureName = keyof typeof architectures;

/** Width of a word's vector. */
export function embeddingWidth({
  join,
  word,
  affix,
  shape,
  characters,
  codes = 0,
}: EmbeddingSettings): number {
  if (join === "sum") return word;
  return word + affix + shape + characterFilters(characters) + codes;
}

/** Width of what the character encoder gives. */
export const characterFilters = (characters: CharacterSettings | undefined): number =>
  characters?.filters.reduce((sum, { count }) => sum + count, 0) ?? 0;
