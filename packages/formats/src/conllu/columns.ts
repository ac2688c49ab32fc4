/** Names of the ten columns, in order. */
export const columnNames = [
  "ID",
  "FORM",
  "LEMMA",
  "UPOS",
  "XPOS",
  "FEATS",
  "HEAD",
  "DEPREL",
  "DEPS",
  "MISC",
] as const;

const standard: ReadonlySet<string> = new Set(columnNames);

/** Whether a name is one of the ten. */
export const isStandardColumn = (name: string): boolean => standard.has(name);

const declaration = /^#\s*global\.columns\s*=\s*(.*)$/;

/**
 * The columns that a comment declares for the rows behind it, or undefined for other comments.
 *
 * @see CoNLL-U Plus, https://universaldependencies.org/ext-format.html
 */
export function declaredColumns(comment: string): readonly string[] | undefined {
  const names = declaration.exec(comment)?.[1]?.trim();
  return names === undefined ? undefined : names.split(/\s+/).filter((name) => name !== "");
}
