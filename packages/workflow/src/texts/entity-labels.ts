import { columnOf, type Row, type Sentence } from "@nasty/formats/conllu";

/**
 * Names under which files have one entity label a word, in MISC or as a column of CoNLL-U Plus; the first that a word
 * has counts.
 */
const keys: readonly string[] = [
  "ner",
  "ne",
  "entity",
  "namedentity",
  "named_entity",
  "ner_tag",
  "nertag",
  "ent",
  "iob",
  "bio",
];

/** The key that is written where a word has none yet. */
export const defaultEntityKey = "NER";

/** Whether a name of a column or of an attribute stands for entity labels: `NER`, `ner`, `Entity`, … */
export const isEntityKey = (name: string): boolean => keys.includes(name.toLowerCase());

/** The column of CoNLL-U Plus that holds entity labels, or undefined. */
export function entityColumn(sentence: Sentence): string | undefined {
  return sentence.columns?.find(isEntityKey);
}

/**
 * Brackets of mentions as CoNLL-2012 and coreference data have them, `(person`, `1)`: spans that nest, not one label a
 * word.
 */
export const isBracket = (label: string): boolean => /^[^()]*[()]/.test(label);

/**
 * The entity label of a row: of the entity column where the file has one, else of MISC. `_` and `*` are no label.
 *
 * @returns undefined for a word without one
 */
export function entityLabel(sentence: Sentence, row: Row): string | undefined {
  const column = entityColumn(sentence);
  const value = column === undefined ? miscEntity(row.misc)?.label : columnOf(sentence, row, column);
  return value === undefined || value === "_" || value === "*" || value === "" ? undefined : value;
}

/** The attribute of MISC that holds an entity label, as it is written. */
export function miscEntity(misc: string): { readonly key: string; readonly label: string } | undefined {
  if (misc === "_") return undefined;
  let found: { readonly key: string; readonly label: string } | undefined;
  for (const item of misc.split("|")) {
    const equals = item.indexOf("=");
    const key = item.slice(0, Math.max(0, equals));
    if (!isEntityKey(key) || isBracket(item.slice(equals + 1))) continue;
    if (found === undefined || keys.indexOf(key.toLowerCase()) < keys.indexOf(found.key.toLowerCase()))
      found = { key, label: item.slice(equals + 1) };
  }
  return found;
}

/**
 * MISC with another entity label: the attribute that is there is replaced, one is added behind the others where the
 * word has none and the label is not `O`.
 */
export function withEntity(misc: string, label: string): string {
  const there = miscEntity(misc);
  if (there === undefined) {
    if (label === "O") return misc;
    return misc === "_" ? `${defaultEntityKey}=${label}` : `${misc}|${defaultEntityKey}=${label}`;
  }
  let isDone = false;
  return misc
    .split("|")
    .map((item) => {
      if (isDone || item !== `${there.key}=${there.label}`) return item;
      isDone = true;
      return `${there.key}=${label}`;
    })
    .join("|");
}
