import { detectLayout, splitRow } from "../iob/layout.js";
import { isCapitalTag, isChunkLabel, isTag, isTypedChunk, isUniversalTag, share } from "./label-shapes.js";
import { mode, textRows } from "./text-rows.js";

/** What a column of labels seems to hold; `labels` where it may be either. */
export type ColumnContent = "entities" | "parts of speech" | "labels";

/** A column of labels, counted from 1. */
export interface LabelColumn {
  readonly column: number;
  readonly content: ColumnContent;
  readonly wordColumn: number;
}

/**
 * The column with the labels of a task in a text of columns: the last (or the one behind number and word) where it may
 * hold them, else another that does, such as the parts of speech in the second column of CoNLL-2003. What the labels
 * mean is not judged.
 *
 * @param head the start of the text
 * @param task `pos`, `ner`, or undefined where either will do
 * @returns undefined for a text without rows of two columns
 */
export function labelColumnFor(head: string, task: "pos" | "ner" | undefined): LabelColumn | undefined {
  const { rows, groups } = textRows(head, false);
  const first = rows.slice(0, groups[0]);
  if (first.length === 0) return undefined;
  const layout = detectLayout(first);
  const split = rows.map((row) => splitRow(row, layout.separator));
  const width = layout.count ?? mode(split.map(({ length }) => length)).value;
  if (width < 2) return undefined;
  const usual = split.filter(({ length }) => length === width);
  const contentOf = (column: number): ColumnContent =>
    contentOfLabels(usual.map((fields) => fields[column - 1] ?? ""));
  const found = (column: number): LabelColumn => ({
    column,
    content: contentOf(column),
    wordColumn: layout.word,
  });
  const last = found(layout.label);
  if (task === undefined || last.content === "labels") return last;
  const wanted: ColumnContent = task === "pos" ? "parts of speech" : "entities";
  if (last.content === wanted) return last;
  const others = Array.from({ length: width }, (_, index) => index + 1).filter(
    (column) => column > layout.word && column !== layout.label && contentOf(column) === wanted,
  );
  // Chunks of phrases stand before entities, parts of speech directly behind the words.
  const other = task === "pos" ? others[0] : others.at(-1);
  return other === undefined ? last : found(other);
}

function contentOfLabels(labels: readonly string[]): ColumnContent {
  if (share(labels, isTypedChunk) > 0 && share(labels, isChunkLabel) >= 0.5) return "entities";
  if (share(labels, (label) => label === "O") >= 0.5) return "entities";
  if (labels.includes("O") && share(labels, isChunkLabel) === 1) return "entities";
  if (share(labels, isUniversalTag) >= 0.9) return "parts of speech";
  return share(labels, isTag) >= 0.9 && share(labels, isCapitalTag) > 0 && !labels.includes("O")
    ? "parts of speech"
    : "labels";
}
