import { FormatError, type FormatErrorCode } from "../format-error.js";

/** Labels in logit order, and what is odd about how they are written. */
export interface ReadLabels {
  readonly labels: readonly string[];
  readonly notes: readonly string[];
}

/** What `config.json` says about labels, of the types that were checked. */
export interface LabelKeys {
  readonly id2label: Readonly<Record<string, string | number | boolean>> | undefined;
  readonly label2id: Readonly<Record<string, number | string>> | undefined;
  readonly numLabels: number | undefined;
}

/** No tagger has more; an id beyond it would make a list of that length. */
const MOST_LABELS = 100_000;

/**
 * Reads labels as transformers does: `id2label` decides, else `label2id`, else `num_labels` labels are called
 * `LABEL_0`, ….
 *
 * What transformers only warns of, or does not look at, is taken with a note: ids without a label, a label of several
 * ids, a `label2id` that is not the inverse, another `num_labels`.
 *
 * @throws FormatError `missing` (none of the three), `label` (a key or an id that is no number, or too large)
 */
export function readLabels(file: string, { id2label, label2id, numLabels }: LabelKeys): ReadLabels {
  const refuse = (code: FormatErrorCode, key: string, expected: string, got: string): FormatError =>
    new FormatError(code, `parseModelConfig: ${file}: ${key}: expected ${expected}, got ${got}`, {
      path: file,
      name: key,
    });
  const idOf = (key: string, written: string | number): number => {
    const id = /^\s*\d{1,9}\s*$/.test(String(written)) ? Number(written) : Number.NaN;
    if (id < MOST_LABELS) return id;
    throw refuse("label", key, `numbers from 0 to ${MOST_LABELS - 1}`, JSON.stringify(written));
  };
  const notes: string[] = [];
  const byId = new Map<number, string>();
  if (id2label !== undefined && Object.keys(id2label).length > 0) {
    for (const [id, label] of Object.entries(id2label)) byId.set(idOf("id2label", id), String(label));
  } else {
    for (const [label, id] of Object.entries(label2id ?? {})) byId.set(idOf(`label2id.${label}`, id), label);
    if (byId.size > 0) notes.push(`${file}: no id2label; labels are those of label2id`);
  }
  if (byId.size === 0) {
    if (numLabels === undefined)
      throw refuse("missing", "id2label", "the labels of a token classifier", "none");
    if (numLabels > MOST_LABELS)
      throw refuse("label", "num_labels", `at most ${MOST_LABELS}`, String(numLabels));
    notes.push(`${file}: no id2label; ${numLabels} labels are called LABEL_0 to LABEL_${numLabels - 1}`);
    return { labels: Array.from({ length: numLabels }, (_, id) => `LABEL_${id}`), notes };
  }
  const count = Math.max(...byId.keys()) + 1;
  const labels = Array.from({ length: count }, (_, id) => byId.get(id) ?? `LABEL_${id}`);
  if (byId.size < count) {
    notes.push(
      `${file}: id2label: ${count - byId.size} of ${count} ids have no label; they are called LABEL_ID`,
    );
  }
  const unique = new Set(labels);
  if (unique.size < count)
    notes.push(`${file}: id2label: ${count} ids have ${unique.size} labels: some are repeated`);
  if (id2label !== undefined && label2id !== undefined && !isInverse(labels, label2id, unique.size)) {
    notes.push(`${file}: label2id is not the inverse of id2label, which is taken`);
  }
  if (numLabels !== undefined && numLabels !== count) {
    notes.push(`${file}: num_labels is ${numLabels}, but id2label has ${count} labels, which are taken`);
  }
  return { labels, notes };
}

function isInverse(
  labels: readonly string[],
  label2id: Readonly<Record<string, number | string>>,
  unique: number,
): boolean {
  const entries = Object.entries(label2id);
  return entries.length === unique && entries.every(([label, id]) => labels[Number(id)] === label);
}
