import { type ArchitecturePreset, characterFilters, type EmbeddingSettings } from "../neural/architecture.js";

/**
 * The preset with every width multiplied by `size` and rounded, at least 1: embeddings, character filters, LSTM units.
 * Layers, hash rows and vocabulary stay. Where parts of a word's vector are added up they keep one width, that of the
 * filters.
 */
export function scaledPreset(preset: ArchitecturePreset, size: number): ArchitecturePreset {
  if (size === 1) return preset;
  const scaled = (width: number): number => Math.max(1, Math.round(width * size));
  const { architecture, features } = preset;
  const embedding = scaledEmbedding(architecture.embedding, scaled);
  switch (architecture.kind) {
    case "bilstm":
      return {
        architecture: { ...architecture, embedding, hidden: scaled(architecture.hidden) },
        features,
      };
    case "cnn":
      return { architecture: { ...architecture, embedding }, features };
    default:
      return architecture satisfies never;
  }
}

function scaledEmbedding(
  { join, word, affix, shape, characters }: EmbeddingSettings,
  scaled: (width: number) => number,
): EmbeddingSettings {
  const smaller = characters && {
    width: scaled(characters.width),
    filters: characters.filters.map(({ size, count }) => ({ size, count: scaled(count) })),
  };
  if (join === "concat")
    return { join, word: scaled(word), affix: scaled(affix), shape: scaled(shape), characters: smaller };
  const width = smaller === undefined ? scaled(word) : characterFilters(smaller);
  return { join, word: width, affix: width, shape: width, characters: smaller };
}
